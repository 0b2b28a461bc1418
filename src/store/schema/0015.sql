-- Shorter keys. What an entry is recognised by is compared within its feed only,
-- where 8 of the 16 bytes are enough; and it is kept long after all else is gone,
-- so that it is most of what a database of many years holds.
CREATE TABLE entry_key_2 (
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    kind INTEGER NOT NULL,             -- 1 GUID, 2 link, 3 words
    key BLOB NOT NULL,                 -- 8 bytes
    entry_id INTEGER NOT NULL,         -- of an entry or a tombstone
    PRIMARY KEY (feed_id, kind, key)
) STRICT, WITHOUT ROWID;
INSERT OR REPLACE INTO entry_key_2 (feed_id, kind, key, entry_id)
    SELECT feed_id, kind, substr(key, 1, 8), entry_id FROM entry_key
    ORDER BY feed_id, kind, key;
DROP TABLE entry_key;
ALTER TABLE entry_key_2 RENAME TO entry_key;
UPDATE tombstone SET link_key = substr(link_key, 1, 8), title_key = substr(title_key, 1, 8);
