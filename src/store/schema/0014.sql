-- Clouds that tell of news (rssCloud), beside hubs that bring it.

ALTER TABLE subscription ADD COLUMN protocol TEXT NOT NULL DEFAULT 'websub';
ALTER TABLE callback ADD COLUMN protocol TEXT NOT NULL DEFAULT 'websub';
