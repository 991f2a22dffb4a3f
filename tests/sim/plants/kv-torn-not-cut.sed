# Records follow behind a torn one.
# file: log_actor.c
/^TR_ON\(kv_log_actor, kv_replayed/,/^}/{s/reset_journal\(me, msg->good\)/reset_journal(me, k->read_to)/;s/k->reading = .*/k->reading = false;/;}
