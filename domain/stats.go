package domain

// Stats are the numbers of the home page: mailings, those of them that send at their times, and
// different addresses among the clients of all owners.
type Stats struct {
	Mailings, Active, Clients int64
}
