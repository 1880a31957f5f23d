-- The single dates of a mailing that its owner skipped or moved, see domain.Exception.
ALTER TABLE mailings ADD exceptions jsonb;
