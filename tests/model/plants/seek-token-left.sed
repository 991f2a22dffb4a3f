# A worker that was woken while it withdrew does not wait for its token.
# explorer: seek
# file: sched/seek.c
/^static void wake_up/,/^}/s/was_given_token = tri_park_sleep\(&worker->park, TR_FOREVER\);/was_given_token = true;/
