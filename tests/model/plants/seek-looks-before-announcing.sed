# The last look comes before the announcement.
# explorer: seek
# file: sched/seek.c
/^static void doze/,/^}/{
    s/^( *)announce\(worker, as\);/    worker->announced = as;\n    bool is_in_sight = is_work_in_sight(worker);\n&/
    s/if \(is_work_in_sight\(worker\)/if (is_in_sight/
}
