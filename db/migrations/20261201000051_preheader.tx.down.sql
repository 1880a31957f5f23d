ALTER TABLE runs DROP preheader;
ALTER TABLE messages DROP preheader;
