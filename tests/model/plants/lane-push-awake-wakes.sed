# The push to a lane that is awake is done to one that sleeps: nobody schedules its actor.
# explorer: lane
# file: mailbox/lane.c
/^bool tri_lane_push_awake/,/^}/s/\(word & \(OPEN \| IDLE\)\) != OPEN/!(word \& OPEN)/
