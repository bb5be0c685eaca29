// Package plandocs writes a tracking plan as a page that somebody who does not
// read YAML can follow: the stages with what leads into them, the segments, and
// the events with what they mean, who sends them and what they carry. The same
// page comes as Markdown, for a repository or a wiki, and as HTML by itself.
package plandocs
