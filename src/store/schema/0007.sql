-- Independent sources that an alert told of.
ALTER TABLE alert ADD COLUMN sources INTEGER NOT NULL DEFAULT 1;

-- News of a story that was told, for those who were told.
CREATE TABLE alert_update (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    alert_id INTEGER NOT NULL REFERENCES alert (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                -- sources, number, correction, withdrawn, headline
    text TEXT NOT NULL,                -- what is new, for people
    sources INTEGER NOT NULL,          -- of the story then
    title TEXT NOT NULL,               -- of the entry that made the difference
    url TEXT,
    outlet TEXT NOT NULL
) STRICT;
CREATE INDEX alert_update_alert ON alert_update (alert_id);

-- A delivery of an update belongs to the alert that it follows, too.
ALTER TABLE delivery ADD COLUMN update_id INTEGER REFERENCES alert_update (id);
CREATE INDEX delivery_update ON delivery (update_id) WHERE update_id IS NOT NULL;

-- A story whose tellings are part of another one now, by that one's public id.
ALTER TABLE story ADD COLUMN merged_into TEXT;

-- Corrections of stories by their users. What is remembered of stories is
-- read anew after each.
CREATE TABLE story_edit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                -- split, merge
    story TEXT NOT NULL,               -- that tellings were taken from
    other TEXT NOT NULL,               -- that they went to
    entries TEXT NOT NULL              -- JSON array of their rows
) STRICT;
