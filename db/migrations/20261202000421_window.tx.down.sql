ALTER TABLE runs DROP opens_at, DROP closes_at;
ALTER TABLE mailings DROP window_from, DROP window_to, DROP window_expires;
