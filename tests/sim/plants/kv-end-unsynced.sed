# An orderly end does not sync.
# file: log_actor.c
/^TR_END\(kv_log_actor/,/^}/s/if \(me->keeper != NULL\)/if (me->keeper == NULL)/
