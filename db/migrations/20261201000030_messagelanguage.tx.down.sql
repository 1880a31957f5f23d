ALTER TABLE runs DROP language;
ALTER TABLE messages DROP language, DROP html_size;
