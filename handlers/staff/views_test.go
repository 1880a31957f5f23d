package staff

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"staff/audit":           auditView{},
		"staff/audit-results":   auditView{},
		"staff/new":             newUser{},
		"staff/delete":          deleteUserView{},
		"staff/overview":        overviewView{},
		"staff/everybody":       overviewView{},
		"staff/owners":          []ownerRow{},
		"staff/installation":    installationView{},
		"staff/jobs":            queuePath,
		"staff/pending":         pendingUser{},
		"staff/role":            adminUser{},
		"staff/role-results":    adminUsersView{},
		"staff/roles":           adminUsersView{},
		"staff/mailing":         managerMailing{},
		"staff/mailing-results": managerMailingsView{},
		"staff/mailings":        managerMailingsView{},
		"staff/switch":          switchView{},
		"staff/user":            managerUser{},
		"staff/user-results":    managerUsersView{},
		"staff/users":           managerUsersView{},
		"staff/reason":          switchView{},
		"staff/reason-fields":   switchView{},
		"staff/reason-form":     switchView{},
		"staff/reason-heading":  switchView{},
	})
}
