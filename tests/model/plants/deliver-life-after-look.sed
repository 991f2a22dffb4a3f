# The generation of a signal's ref is looked at before the life it is meant for.
# explorer: slot
# file: actors/deliver.c
/^int tri_deliver_signal/,/^}/{
    s/^    uint16_t life = .*/    uint16_t life;/
    s/^    return pushed\(sys, self, actor,/    life = tri_urgent_life(\&actor->urgent);\n&/
}
