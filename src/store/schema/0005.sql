-- Where an aggregated item comes from.
ALTER TABLE entry ADD COLUMN source_title TEXT;
ALTER TABLE entry ADD COLUMN source_url TEXT;

-- Whether a match hangs on capitals in a headline that has nothing else.
ALTER TABLE match ADD COLUMN capitals_only INTEGER NOT NULL DEFAULT 0;

-- The words of entries, as rules see them, to search by; rowid is the entry's.
CREATE VIRTUAL TABLE entry_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii'
);
-- Entries of earlier versions have no words there; a search reads them all.
CREATE TABLE archive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    unindexed_to INTEGER NOT NULL      -- the last such entry
) STRICT;
INSERT INTO archive SELECT 1, coalesce(max(id), 0) FROM entry;
