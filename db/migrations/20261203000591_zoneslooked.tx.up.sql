-- When the zones of its owner's clients were looked at last, for a mailing that goes out by them (db.FindZones).
ALTER TABLE mailings ADD zones_at timestamptz;
