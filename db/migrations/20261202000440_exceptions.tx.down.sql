ALTER TABLE mailings DROP exceptions;
