-- Until when a channel's receiver wants nothing. What our own set-up caused
-- ends with the next start: it may have been mended.
CREATE TABLE channel_pause (
    channel TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    until_start INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- Written to see whether writes reach the disk.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
