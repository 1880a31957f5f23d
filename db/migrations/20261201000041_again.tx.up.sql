-- The run whose message a mailing sends again, to those who did not get it.
ALTER TABLE mailings ADD again_of bigint;
CREATE INDEX mailings_again ON mailings (again_of) WHERE again_of IS NOT NULL;
