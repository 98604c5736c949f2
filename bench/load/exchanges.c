// exchanges: requests and their answers, HTTP or WebSocket echoes; one thread, epoll. Linux only.
//
//   exchanges -p PORT -q REQUESTS -a ANSWERS [-h HANDSHAKE] [-c CONNECTIONS] [-i IN_FLIGHT] [-w WARM_SECONDS]
//             [-d SECONDS] [-r RATE] [-x] [-s] [-P SERVER_PID]
//
// REQUESTS and ANSWERS are cycles (cycle.h) of as many items: frames where there is a HANDSHAKE, otherwise whole
// requests and the contents of their answers. Every byte of an answer is compared, but for the head of an HTTP answer, of
// which the status and the length are; the first wrong one ends the run. Each connection keeps IN_FLIGHT requests in
// flight. With -r they are sent at a RATE per second over all connections instead, whether answers come or not, and a
// time counts from when the request was due. -x: one request on each connection. -s: TLS.
#include "answers.h"
#include "stream.h"
#include <sys/epoll.h>

enum { MAX_EVENTS = 512, TIMES = 4096 };

typedef struct {
  stream s;
  answers in;
  place out;
  size_t to_write;   // bytes that may be sent now
  size_t next_item;  // that may be sent next
  size_t due_first, due_end;
  double *due;  // when the requests in flight were due, a ring of TIMES
} connection;

static struct {
  int port, connections, churn, secure, pid;
  size_t in_flight;
  double warm_seconds, seconds, rate;
  const char *handshake;
  cycle requests, answers;
} options = {.connections = 64, .in_flight = 1, .warm_seconds = 1, .seconds = 5};

static histogram times;
static int poll;

static void allow(connection *c, double due) {
  if (c->due_end - c->due_first == TIMES) fail("the server is more than %d requests behind", TIMES);
  c->due[c->due_end++ % TIMES] = due;
  c->to_write += item_length(&options.requests, c->next_item);
  c->next_item = (c->next_item + 1) % options.requests.count;
}

static void write_requests(connection *c) {
  while (c->to_write > 0) {
    const size_t part = part_of(&options.requests, &c->out, c->to_write);
    const ssize_t n = stream_write(&c->s, options.requests.bytes + c->out.at, part);
    if (n == WAIT) return;
    advance(&options.requests, &c->out, (size_t)n);
    c->to_write -= (size_t)n;
  }
}

static void watch(connection *c) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, c->s.fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

static void reopen(connection *c) {
  close(c->s.fd);
  c->s.fd = open_socket(options.port, 1);
  watch(c);
}

// Reads all there is. Returns how many answers were completed.
static size_t read_answers(connection *c, double t) {
  static unsigned char buffer[READ_BYTES];
  size_t completed = 0;
  for (;;) {
    const ssize_t n = stream_read(&c->s, buffer, sizeof buffer);
    if (n == 0) fail("the server closed a connection");
    if (n == WAIT) break;
    completed += options.handshake == NULL ? check_http(&c->in, &options.answers, buffer, (size_t)n)
                                           : check_frames(&c->in, &options.answers, buffer, (size_t)n);
    if ((options.churn && completed > 0) || stream_is_empty(&c->s, (size_t)n, sizeof buffer)) break;
  }
  for (size_t i = 0; i < completed; i++) {
    if (c->due_first == c->due_end) fail("an answer without a request");
    histogram_add(&times, t - c->due[c->due_first++ % TIMES]);
  }
  return completed;
}

static connection *open_connections(void) {
  connection *all = calloc((size_t)options.connections, sizeof *all);
  poll = epoll_create1(0);
  if (poll < 0 || all == NULL) fail("cannot start: %s", strerror(errno));
  for (int i = 0; i < options.connections; i++) {
    connection *c = &all[i];
    c->due = malloc(TIMES * sizeof *c->due);
    if (c->due == NULL) fail("out of memory");
    c->s = open_stream(options.port, options.secure);
    if (options.handshake != NULL) upgrade(&c->s, options.handshake);
    set_nonblocking(&c->s);
    // Each begins at another place of the cycle.
    const size_t item = (size_t)i * options.requests.count / (size_t)options.connections;
    c->next_item = c->out.item = c->in.at.item = item;
    c->out.at = item == 0 ? 0 : options.requests.ends[item - 1];
    c->in.at.at = item == 0 ? 0 : options.answers.ends[item - 1];
    watch(c);
  }
  return all;
}

static void run(connection *all) {
  double t = now(), next_due = t;
  moment from = moment_now(options.pid);
  const double warm_until = t + options.warm_seconds, until = warm_until + options.seconds;
  size_t count = 0, turn = 0;
  int warm = 0;
  for (int i = 0; options.rate == 0 && i < options.connections; i++) {
    for (size_t k = 0; k < options.in_flight; k++) allow(&all[i], t);
    write_requests(&all[i]);
  }
  while ((t = now()) < until) {
    if (!warm && t >= warm_until) {
      warm = 1;
      count = 0;
      times = (histogram){0};
      from = moment_now(options.pid);
    }
    for (; options.rate > 0 && next_due <= t; next_due += 1 / options.rate) {
      connection *c = &all[turn++ % (size_t)options.connections];
      allow(c, next_due);
      write_requests(c);
    }
    struct epoll_event events[MAX_EVENTS];
    const int n = epoll_wait(poll, events, MAX_EVENTS, options.rate > 0 ? 0 : 50);
    if (n > 0) t = now();
    for (int i = 0; i < n; i++) {
      connection *c = events[i].data.ptr;
      const size_t completed = read_answers(c, t);
      count += completed;
      if (options.churn && completed > 0) reopen(c);
      for (size_t k = 0; options.rate == 0 && k < completed; k++) allow(c, t);
      if (!options.churn || completed == 0) write_requests(c);
    }
  }
  report((double)count, from, options.pid, &times);
}

int main(int argc, char **argv) {
  const char *requests = NULL, *answers = NULL;
  int option;
  while ((option = getopt(argc, argv, "p:q:a:h:c:i:w:d:r:P:xs")) > 0) {
    switch (option) {
      case 'p': options.port = atoi(optarg); break;
      case 'q': requests = optarg; break;
      case 'a': answers = optarg; break;
      case 'h': options.handshake = optarg; break;
      case 'c': options.connections = atoi(optarg); break;
      case 'i': options.in_flight = strtoul(optarg, NULL, 10); break;
      case 'w': options.warm_seconds = atof(optarg); break;
      case 'd': options.seconds = atof(optarg); break;
      case 'r': options.rate = atof(optarg); break;
      case 'P': options.pid = atoi(optarg); break;
      case 'x': options.churn = 1; break;
      case 's': options.secure = 1; break;
      default: return 2;
    }
  }
  if (options.port <= 0 || options.connections <= 0 || options.in_flight == 0 || options.seconds <= 0) {
    fail("bad arguments");
  }
  // Ends this process whatever happens: a server that goes silent must not hold it.
  alarm((unsigned)(options.warm_seconds + options.seconds) + HANDSHAKE_SECONDS + GRACE_SECONDS);
  allow_open_files();
  options.requests = read_cycle(requests);
  options.answers = read_cycle(answers);
  if (options.requests.count != options.answers.count) fail("not as many answers as requests");
  run(open_connections());
  return 0;
}
