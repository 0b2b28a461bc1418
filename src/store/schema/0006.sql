-- Why an entry is part of its story, who tells it, and what of it is compared
-- with others. A row for each entry since this schema, in the order decided.
CREATE TABLE telling (
    entry_id INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    how TEXT NOT NULL,                 -- first, link, words, copy, headline, event
    of_entry INTEGER,                  -- the telling it is a copy of, or has the headline of
    score REAL,                        -- how much alike
    shared TEXT,                       -- JSON array: words in common
    text_of INTEGER NOT NULL,          -- the first telling of its text
    outlet TEXT NOT NULL,              -- outlets of one owner have one
    agency TEXT,
    features BLOB NOT NULL
) STRICT;

-- How rare words are, as learnt up to a telling; the later ones are read again.
CREATE TABLE learned (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL,
    knowledge BLOB NOT NULL
) STRICT;
