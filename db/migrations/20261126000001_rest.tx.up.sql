-- Whom a large run still has to take in, while it is being planned part by part.
ALTER TABLE runs ADD rest jsonb;
