-- The language that a message is written in ('': as its text reads), and about how large the HTML of its emails is
-- (0: it was saved before this was counted).
ALTER TABLE messages ADD language text NOT NULL DEFAULT '', ADD html_size int NOT NULL DEFAULT 0;
ALTER TABLE runs ADD language text NOT NULL DEFAULT '';
