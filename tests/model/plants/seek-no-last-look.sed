# A worker that has announced itself does not look once more.
# explorer: seek
# file: sched/seek.c
/^static bool is_work_in_sight/,/^}/s/return tri_timers_earliest/return false \&\& tri_timers_earliest/
/^static bool is_work_in_sight/,/^}/s/\|\| /\&\& /
