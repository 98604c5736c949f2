// broadcast: one publishes, all receive; one thread, epoll. Linux only.
//
//   broadcast -p PORT -q MESSAGES -a ANSWERS -h HANDSHAKE [-c SUBSCRIBERS] [-i IN_FLIGHT] [-w WARM_SECONDS]
//             [-d SECONDS] [-P SERVER_PID]
//
// The first subscriber sends IN_FLIGHT messages, and the next one whenever a message has reached all. Every byte that
// arrives is compared. It counts delivered messages; a time is from the sending of a message to one delivery.
#include "answers.h"
#include "stream.h"
#include <sys/epoll.h>

enum { MAX_EVENTS = 512, MAX_IN_FLIGHT = 64 };

typedef struct {
  stream s;
  answers in;
  size_t received;  // messages
} subscriber;

static struct {
  int port, subscribers, pid;
  size_t in_flight;
  double warm_seconds, seconds;
  const char *handshake;
  cycle messages, answers;
} options = {.subscribers = 1000, .in_flight = 4, .warm_seconds = 1, .seconds = 5};

static histogram times;
// Of the messages in flight, by number modulo MAX_IN_FLIGHT: when they were sent and how many have them.
static double sent_at[MAX_IN_FLIGHT];
static int arrived[MAX_IN_FLIGHT];
static size_t sent;

static void publish(subscriber *publisher) {
  const size_t item = sent % options.messages.count, length = item_length(&options.messages, item);
  sent_at[sent % MAX_IN_FLIGHT] = now();
  arrived[sent++ % MAX_IN_FLIGHT] = 0;
  const unsigned char *bytes = options.messages.bytes + options.messages.ends[item] - length;
  if (stream_write(&publisher->s, bytes, length) != (ssize_t)length) fail("a message could not be sent at once");
}

// Reads all there is. Returns how many messages were delivered; `complete` counts those that all have now.
static size_t receive(subscriber *c, size_t *complete) {
  static unsigned char buffer[READ_BYTES];
  size_t delivered = 0;
  for (;;) {
    const ssize_t n = stream_read(&c->s, buffer, sizeof buffer);
    if (n == 0) fail("the server closed a connection");
    if (n == WAIT) break;
    delivered += check_frames(&c->in, &options.answers, buffer, (size_t)n);
    if (stream_is_empty(&c->s, (size_t)n, sizeof buffer)) break;
  }
  const double t = now();
  for (size_t i = 0; i < delivered; i++) {
    const size_t number = c->received++;
    if (number >= sent) fail("a message that was not sent");
    histogram_add(&times, t - sent_at[number % MAX_IN_FLIGHT]);
    if (++arrived[number % MAX_IN_FLIGHT] == options.subscribers) ++*complete;
  }
  return delivered;
}

static subscriber *subscribe_all(int poll) {
  subscriber *all = calloc((size_t)options.subscribers, sizeof *all);
  if (poll < 0 || all == NULL) fail("cannot start: %s", strerror(errno));
  for (int i = 0; i < options.subscribers; i++) {
    all[i].s = open_stream(options.port, 0);
    upgrade(&all[i].s, options.handshake);
    set_nonblocking(&all[i].s);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = &all[i]};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].s.fd, &event)) fail("epoll_ctl: %s", strerror(errno));
  }
  return all;
}

static void run(int poll, subscriber *all) {
  double t = now();
  moment from = moment_now(options.pid);
  const double warm_until = t + options.warm_seconds, until = warm_until + options.seconds;
  size_t count = 0;
  int warm = 0;
  for (size_t i = 0; i < options.in_flight; i++) publish(&all[0]);
  while ((t = now()) < until) {
    if (!warm && t >= warm_until) {
      warm = 1;
      count = 0;
      times = (histogram){0};
      from = moment_now(options.pid);
    }
    struct epoll_event events[MAX_EVENTS];
    const int n = epoll_wait(poll, events, MAX_EVENTS, 50);
    for (int i = 0; i < n; i++) {
      size_t complete = 0;
      count += receive(events[i].data.ptr, &complete);
      for (size_t k = 0; k < complete; k++) publish(&all[0]);
    }
  }
  report((double)count, from, options.pid, &times);
}

int main(int argc, char **argv) {
  int option;
  const char *messages = NULL, *answers = NULL;
  while ((option = getopt(argc, argv, "p:q:a:h:c:i:w:d:P:")) > 0) {
    switch (option) {
      case 'p': options.port = atoi(optarg); break;
      case 'q': messages = optarg; break;
      case 'a': answers = optarg; break;
      case 'h': options.handshake = optarg; break;
      case 'c': options.subscribers = atoi(optarg); break;
      case 'i': options.in_flight = strtoul(optarg, NULL, 10); break;
      case 'w': options.warm_seconds = atof(optarg); break;
      case 'd': options.seconds = atof(optarg); break;
      case 'P': options.pid = atoi(optarg); break;
      default: return 2;
    }
  }
  if (options.port <= 0 || options.handshake == NULL || options.subscribers <= 0 || options.in_flight == 0 ||
      options.in_flight > MAX_IN_FLIGHT) {
    fail("bad arguments");
  }
  // Ends this process whatever happens; ten thousand handshakes take their time.
  alarm((unsigned)(options.warm_seconds + options.seconds) + 4 * HANDSHAKE_SECONDS + GRACE_SECONDS);
  allow_open_files();
  options.messages = read_cycle(messages);
  options.answers = read_cycle(answers);
  if (options.messages.count != options.answers.count) fail("not as many answers as messages");
  const int poll = epoll_create1(0);
  run(poll, subscribe_all(poll));
  return 0;
}
