-- What forgotten entries are recognised by, packed: most of a database of many
-- years. A segment is never changed, only merged with others or forgotten whole.
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    entries INTEGER NOT NULL,
    last_entry INTEGER NOT NULL,       -- the highest number of its entries
    oldest INTEGER NOT NULL,           -- when its feed last showed the first of them,
    newest INTEGER NOT NULL,           -- and the last of them
    guids INTEGER NOT NULL DEFAULT 1   -- 0: its keys of kind 1 do not count any more
) STRICT;
CREATE INDEX segment_feed ON segment (feed_id, newest);
CREATE INDEX segment_last_entry ON segment (last_entry);

-- Sorted parts of segments, of a quarter of a page each.
CREATE TABLE segment_part (
    id INTEGER PRIMARY KEY,
    segment_id INTEGER NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,             -- 0 entries, else of the keys: 1 GUID, 2 link, 3 words
    first BLOB NOT NULL,               -- key, or place of the entry, that it begins with
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX segment_part_first ON segment_part (segment_id, kind, first);

-- A number leads to an entry, a tombstone or into a segment.
DROP TRIGGER forget_tombstone;
CREATE TRIGGER forget_tombstone AFTER DELETE ON tombstone
WHEN old.id > max((SELECT coalesce(max(id), 0) FROM entry),
                  (SELECT coalesce(max(id), 0) FROM tombstone),
                  (SELECT coalesce(max(last_entry), 0) FROM segment)) BEGIN
    INSERT INTO forgotten VALUES ('entry',
        old.id - max((SELECT coalesce(max(id), 0) FROM entry),
                     (SELECT coalesce(max(id), 0) FROM tombstone),
                     (SELECT coalesce(max(last_entry), 0) FROM segment)))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
CREATE TRIGGER forget_segment AFTER DELETE ON segment
WHEN old.last_entry > max((SELECT coalesce(max(id), 0) FROM entry),
                          (SELECT coalesce(max(id), 0) FROM tombstone),
                          (SELECT coalesce(max(last_entry), 0) FROM segment)) BEGIN
    INSERT INTO forgotten VALUES ('entry',
        old.last_entry - max((SELECT coalesce(max(id), 0) FROM entry),
                             (SELECT coalesce(max(id), 0) FROM tombstone),
                             (SELECT coalesce(max(last_entry), 0) FROM segment)))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
