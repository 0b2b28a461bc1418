-- Pages behind the links of entries, to be read for their whole text.
CREATE TABLE page (
    entry_id INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    text_of INTEGER NOT NULL,               -- tellings of one text have one: only one page is read
    state TEXT NOT NULL DEFAULT 'waiting',  -- waiting, read, unread, spared
    always INTEGER NOT NULL DEFAULT 0,      -- read though the story's text was read elsewhere
    attempts INTEGER NOT NULL DEFAULT 0,
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    finished_at INTEGER,
    reason TEXT,                            -- why it was not read
    bytes INTEGER NOT NULL DEFAULT 0,
    title TEXT,
    lang TEXT,
    text TEXT                               -- what rules were asked about
) STRICT;
CREATE INDEX page_due ON page (due_at) WHERE state = 'waiting';
CREATE INDEX page_text_of ON page (text_of);

-- What hosts were asked for pages, and how they answered.
CREATE TABLE page_host (
    host TEXT PRIMARY KEY,
    day INTEGER NOT NULL,                   -- since 1970, that pages and bytes are of
    pages INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    good INTEGER NOT NULL DEFAULT 0,        -- pages that gave a text
    bad INTEGER NOT NULL DEFAULT 0,         -- pages that gave none
    bad_run INTEGER NOT NULL DEFAULT 0,     -- in a row that a later try may mend
    rests_until INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;
