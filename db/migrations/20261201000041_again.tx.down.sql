DROP INDEX mailings_again;
ALTER TABLE mailings DROP again_of;
