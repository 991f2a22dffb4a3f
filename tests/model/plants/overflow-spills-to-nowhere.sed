# The count of what was spilled is one too few.
# explorer: overflow
# file: sched/worker.c
/void overflow\(/,/^}/s/first, last, count\);/first, last, count - 1);/
