ALTER TABLE mailings DROP noticed_until;
ALTER TABLE users DROP no_notices;
