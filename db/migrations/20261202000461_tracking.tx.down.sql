DROP TABLE visits, run_links;
ALTER TABLE runs DROP track_clicks, DROP track_opens, DROP utm, DROP utm_campaign;
ALTER TABLE mailings DROP track_clicks, DROP track_opens, DROP utm, DROP utm_campaign;
