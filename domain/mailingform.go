package domain

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"skychimp/domain/abtest"
	"skychimp/domain/holdout"
)

const maxName = 200 // characters

// WallFormat is how forms write a wall-clock time.
const WallFormat = "2006-01-02T15:04"

// MailingForm is the form of a mailing. StartAt and EndAt are in WallFormat, EndAt may be empty.
type MailingForm struct {
	Name, Audience, Tags, StartAt, EndAt, Timezone, Periodicity string
	Weekdays                                                    []string // mon to sun; none: all
	SkipHolidays, HolidaysThen                                  string   // of a country, see Days; "move" or "skip"
	Interval, Nth                                               string   // see Days; Nth is one of Nths
	WindowFrom, WindowTo, WindowThen                            string   // see Window; "wait" or "expire"
	ZoneOf                                                      string   // "mailing" or "client"
	Important, RotationStops                                    bool
	Digest, FeedURL                                             string  // "", "blog" or "feed", and its address
	MessageIDs                                                  []int64 // several messages in turn, see Rotation
	MessageID, SenderID, TopicID, SegmentID                     int64
	AB                                                          abtest.Setup
	Tracking
	Holdout   holdout.Form
	ClientIDs []int64
}

// Change applies the form. Of a running mailing the anchor and the periodicity are fixed,
// because occurrences that were sent are counted from them. After an error m is half changed.
func (m *Mailing) Change(form MailingForm, now time.Time) error {
	var p ValidationErrors
	if form.MessageID == 0 {
		p.Add("message_id", "mailings.message_required")
	}
	return m.change(p, form, now)
}

// change is Change where the mailing may be without a message yet. It adds what else is wrong to p.
func (m *Mailing) change(p ValidationErrors, form MailingForm, now time.Time) error {
	if !m.MayEdit() {
		return Errorf(Conflict, "", "mailings.finished_fixed")
	}
	before := *m
	m.SenderID, m.TopicID, m.UpdatedAt = form.SenderID, form.TopicID, now
	changeMessages(m, &p, form)
	changeDigest(m, &p, form)
	changeHoldout(m, &p, form.Holdout, now)
	renameMailing(m, &p, form.Name)
	m.Tracking = form.Tracking
	m.Tracking.check(&p)
	changeAudience(m, &p, form)
	changeTimes(m, &p, form)
	changeTest(m, &p, form)
	if p.Err() == nil {
		keepExceptions(m, before)
	}
	if m.Status == Running {
		checkFixed(&p, before, *m)
		m.advanceTo(m.NextNo)
	}
	return p.Err()
}

func renameMailing(m *Mailing, p *ValidationErrors, name string) {
	m.Name = strings.TrimSpace(name)
	switch {
	case m.Name == "":
		p.Add("name", "mailings.name_required")
	case utf8.RuneCountInString(m.Name) > maxName:
		p.Add("name", "mailings.name_long", "Max", maxName)
	case hasHidden(m.Name):
		p.Add("name", "mailings.name_control")
	}
}

// ChangeSeries applies what a series has of a mailing: its name, sender, topic and tracking. A version that knows no series finds a
// mailing to nobody.
func (m *Mailing) ChangeSeries(p *ValidationErrors, form MailingForm, now time.Time) {
	m.Kind, m.SenderID, m.TopicID, m.UpdatedAt = KindSeries, form.SenderID, form.TopicID, now
	m.Audience, m.Tags, m.Periodicity, m.Timezone = AudiencePicked, []string{}, Once, form.Timezone
	if m.StartLocal.IsZero() {
		m.StartLocal = now.UTC().Truncate(time.Minute)
	}
	renameMailing(m, p, form.Name)
	m.Tracking = form.Tracking
	m.Tracking.check(p)
	changeHoldout(m, p, form.Holdout, now)
}

// Began reports whether an email may have gone out.
func (m Mailing) Began() bool {
	return m.NextNo > 0 || !m.LaunchedAt.IsZero() && (m.Kind == KindSeries || m.Status == Created)
}

// changeHoldout reads whom the mailing leaves out.
func changeHoldout(m *Mailing, p *ValidationErrors, form holdout.Form, now time.Time) {
	tags := ParseTags(form.Tag)
	form.Tag = ""
	switch {
	case len(tags) > 1 || len(tags) == 1 && !FitsTag(tags[0]):
		p.Add("came_back_tag", "holdout.tag_one", "Max", 50)
		return
	case len(tags) == 1:
		form.Tag = tags[0]
	}
	if field, problem := m.Holdout.Change(form, m.Began(), now); problem != "" {
		p.Add(field, problem)
	}
}

func checkFixed(p *ValidationErrors, before, m Mailing) {
	fixed := func(field string, same bool) {
		known := func(problem *Error) bool { return problem.Field == field }
		if !same && !slices.ContainsFunc(*p, known) {
			p.Add(field, "mailings.running_fixed")
		}
	}
	fixed("start_at", m.StartLocal.Equal(before.StartLocal))
	fixed("timezone", m.Timezone == before.Timezone)
	fixed("zone_of", m.ZoneOfClient == before.ZoneOfClient)
	fixed("periodicity", m.Periodicity == before.Periodicity)
	fixed("interval", m.Days.interval() == before.Days.interval())
}

// maxCampaign is how many characters of a campaign's name links carry.
const maxCampaign = 100

func (t *Tracking) check(p *ValidationErrors) {
	t.UTMCampaign = strings.TrimSpace(t.UTMCampaign)
	switch {
	case utf8.RuneCountInString(t.UTMCampaign) > maxCampaign:
		p.Add("utm_campaign", "mailings.campaign_long", "Max", maxCampaign)
	case hasHidden(t.UTMCampaign):
		p.Add("utm_campaign", "mailings.name_control")
	}
}

// changeTest takes what the mailing tries, which has to suit what the form says besides.
func changeTest(m *Mailing, p *ValidationErrors, form MailingForm) {
	var wrong []abtest.Problem
	beside := abtest.Beside{Clicks: m.TrackClicks, Opens: m.TrackOpens, Rotation: len(m.MessageIDs) > 0, ZoneOfClient: m.ZoneOfClient, Wait: abtest.Patience}
	if first, some := m.Schedule().From(0); some && len(*p) == 0 {
		next, _ := m.Schedule().Next(first.At)
		beside.Wait = restUntil(*m, first.At, next.At).Sub(first.At)
	}
	m.AB, wrong = form.AB.Take(beside)
	for _, one := range wrong {
		p.Add(one.Field, one.Key)
	}
}

// maxPicked is how many clients a page can still show and keep; tags reach any number.
const maxPicked = 10_000

func changeAudience(m *Mailing, p *ValidationErrors, form MailingForm) {
	m.Audience, m.Tags, m.ClientIDs, m.SegmentID, m.Selection = Audience(form.Audience), []string{}, nil, 0, nil
	switch m.Audience {
	case AudienceAll:
	case AudienceTags:
		m.Tags = ParseTags(form.Tags)
		if len(m.Tags) == 0 {
			p.Add("tags", "mailings.tags_required")
		}
		checkTags(p, m.Tags)
	case AudiencePicked:
		m.ClientIDs = slices.Compact(slices.Sorted(slices.Values(form.ClientIDs)))
		if len(m.ClientIDs) == 0 {
			p.Add("client_ids", "mailings.clients_required")
		} else if len(m.ClientIDs) > maxPicked {
			p.Add("client_ids", "mailings.clients_many", "Max", maxPicked)
		}
	case AudienceSegment:
		if m.SegmentID = form.SegmentID; m.SegmentID == 0 {
			p.Add("segment_id", "segments.unknown")
		}
	default:
		p.Add("audience", "mailings.audience_unknown")
	}
}

func changeTimes(m *Mailing, p *ValidationErrors, form MailingForm) {
	m.Timezone, m.Periodicity = strings.TrimSpace(form.Timezone), Periodicity(form.Periodicity)
	m.EndLocal, m.EndAt = time.Time{}, time.Time{}
	var err error
	if m.StartLocal, err = parseWall(form.StartAt); err != nil {
		p.Add("start_at", "mailings.start_invalid")
	}
	if form.EndAt != "" {
		if m.EndLocal, err = parseWall(form.EndAt); err != nil {
			p.Add("end_at", "mailings.end_invalid")
		} else if !m.EndLocal.After(m.StartLocal) {
			p.Add("end_at", "mailings.end_before_start")
		}
	}
	if !m.Periodicity.Valid() {
		p.Add("periodicity", "mailings.periodicity_unknown")
	}
	m.Days.change(p, form, m.Periodicity, m.StartLocal)
	m.Window.change(p, form, m.StartLocal)
	m.ZoneOfClient, m.Important = form.ZoneOf == "client", form.Important
	if m.ZoneOfClient && !m.Window.None() {
		p.Add("window_from", "mailings.window_zone")
	}
	if !m.ZoneOfClient {
		m.Zones = []string{}
	}
	zone, err := LoadZone(m.Timezone)
	if err != nil {
		p.Add("timezone", "mailings.timezone_unknown")
		return
	}
	if !m.EndLocal.IsZero() {
		m.EndAt = Instant(m.EndLocal, zone)
	}
	if _, some := m.Schedule().From(0); !some && len(*p) == 0 {
		p.Add("start_at", "mailings.never")
	}
}

// parseWall reads a wall clock between 2000 and 2199. Seconds, which some browsers add, are
// dropped.
func parseWall(text string) (time.Time, error) {
	wall, err := time.Parse(WallFormat, text)
	if err != nil {
		wall, err = time.Parse(WallFormat+":05", text)
	}
	if err == nil && (wall.Year() < 2000 || wall.Year() > 2199) {
		err = errors.New("the year is far off")
	}
	if err != nil {
		return time.Time{}, err
	}
	return wall.Truncate(time.Minute), nil
}
