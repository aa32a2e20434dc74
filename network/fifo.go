package network

// fifo is a queue in the order of arrival. What has been taken out is moved
// away from its front now and then, so that a hundred thousand entries cost no
// more each than ten do.
type fifo[T any] struct {
	kept []T
	head int
}

func (q *fifo[T]) reset() { q.kept, q.head = q.kept[:0], 0 }

func (q *fifo[T]) len() int { return len(q.kept) - q.head }

func (q *fifo[T]) push(x T) { q.kept = append(q.kept, x) }

// all are the entries, the first one first. They may be changed.
func (q *fifo[T]) all() []T { return q.kept[q.head:] }

// pop takes the first entry out; there must be one.
func (q *fifo[T]) pop() T {
	var none T
	x := q.kept[q.head]
	q.kept[q.head] = none // it may hold what else nobody needs
	q.head++
	if rest := q.len(); q.head > rest {
		copy(q.kept, q.all())
		clear(q.kept[rest:])
		q.kept, q.head = q.kept[:rest], 0
	}
	return x
}
