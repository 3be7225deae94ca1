package messages

import "sort"

// replyBudget keeps a page well inside a message's limit, whatever its entries
// hold.
const replyBudget = MaxMessageSize * 3 / 4

// Paginate cuts a page from items, which are in the order of their names: those
// behind the cursor, until the page's limit or the size of a message is
// reached. next is the cursor of the page after it, or "".
func Paginate[T any](items []T, p Page, name func(T) string) (cut []T, next string) {
	start := 0
	if p.Cursor != "" {
		start = sort.Search(len(items), func(i int) bool { return name(items[i]) > p.Cursor })
	}
	limit := p.Limit
	if limit == 0 {
		limit = DefaultPageSize
	}
	size := 0
	cut = []T{}
	for i := start; i < len(items) && len(cut) < limit; i++ {
		data, err := Encode(items[i])
		if err != nil {
			continue
		}
		if size += len(data); size > replyBudget && len(cut) > 0 {
			break
		}
		cut = append(cut, items[i])
	}
	if end := start + len(cut); len(cut) > 0 && end < len(items) {
		next = name(items[end-1])
	}
	return cut, next
}
