# The alert is taken down after the lane was emptied.
# explorer: lane
# models: lane/hold-twice
# file: mailbox/urgent.c
/^struct tri_urgent_found tri_urgent_take/,/^}/{
    /tri_lane_calm/d
    s/return take_leaving\((.*)\);/struct tri_urgent_found found = take_leaving(\1); tri_lane_calm(lane); return found;/
}
