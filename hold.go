package main

import (
	"fmt"
	"time"
)

type holdCommand struct {
	Do string `arg:"" enum:"on,off,status" help:"on, off or status."`
}

// Help is shown by skychimp hold --help.
func (holdCommand) Help() string {
	return `On hold no email of a mailing leaves and no mailing is planned; emails about accounts still go. A copy of
a database puts itself on hold when it is first used, because the original may have sent meanwhile what the copy
takes for unsent: restored from a dump, or the folder DATA_DIR copied. What came due during the hold is treated
as after downtime: the latest missed time of each mailing runs once.

	skychimp hold status           whether and why
	skychimp hold on               before you copy or restore something
	skychimp hold off              this is the original from now on, and the only one that sends`
}

// Run keeps emails back or lets them go.
func (h holdCommand) Run(p *program) error {
	return p.withDatabase(func(database *database) error {
		hold, err := database.Installation().Locate(p.ctx, database.mark())
		if err != nil {
			return err
		}
		switch {
		case h.Do == "on" && !hold.On:
			if err := database.Installation().HoldOn(p.ctx); err != nil {
				return err
			}
			fmt.Fprintln(p.out, "On hold from now on: no email of a mailing leaves until skychimp hold off.")
		case !hold.On:
			fmt.Fprintln(p.out, "Not on hold: emails of mailings leave.")
		case h.Do == "off":
			if err := database.Installation().HoldOff(p.ctx, database.mark()); err != nil {
				return err
			}
			fmt.Fprintln(p.out, "The hold is over: emails of mailings leave from here.")
		case hold.Copied:
			fmt.Fprintf(p.out, "On hold since %s, because this is a copy of another database.\n", hold.Since.UTC().Format(time.RFC3339))
		default:
			fmt.Fprintf(p.out, "On hold since %s, because somebody asked for it.\n", hold.Since.UTC().Format(time.RFC3339))
		}
		return nil
	})
}
