// ceiling: a server that does nothing but answer, to see what a load can do at the most. It takes no message apart: it
// counts the bytes of a cycle that it knows and sends the answers of another. One thread, epoll. Linux only.
//
//   ceiling -q REQUESTS -a WIRE_ANSWERS [-h HANDSHAKE_ANSWER] [-b]
//
// It prints its port. -h: the first bytes on a connection are a handshake. -b: what arrives from one is sent to all.
#include "stream.h"
#include "cycle.h"
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

enum { MAX_EVENTS = 512, MAX_FILES = 20000 };

typedef struct {
  stream s;
  int shaken, begun;
  place in, out;
  size_t to_write, next_item;
} connection;

static cycle requests, wire;
static const char *handshake;
static connection *open_ones[MAX_FILES];

static void write_answers(connection *c) {
  while (c->to_write > 0) {
    const size_t part = part_of(&wire, &c->out, c->to_write);
    const ssize_t n = send(c->s.fd, wire.bytes + c->out.at, part, MSG_NOSIGNAL);
    if (n < 0) return;
    advance(&wire, &c->out, (size_t)n);
    c->to_write -= (size_t)n;
  }
}

static void allow(connection *c) {
  c->to_write += item_length(&wire, c->next_item);
  c->next_item = (c->next_item + 1) % wire.count;
}

// A client may begin anywhere in the cycle: finds the item that its first bytes belong to.
static void begin(connection *c, const unsigned char *bytes, size_t size) {
  for (size_t item = 0; item < requests.count; item++) {
    const size_t length = item_length(&requests, item), start = requests.ends[item] - length;
    if (memcmp(requests.bytes + start, bytes, length < size ? length : size)) continue;
    c->in = (place){item, start};
    c->out = (place){item, wire.ends[item] - item_length(&wire, item)};
    c->next_item = item;
    c->begun = 1;
    return;
  }
  fail("bytes that no request begins with");
}

// Returns how many requests were completed, or WAIT when the connection has ended.
static ssize_t take(connection *c) {
  static unsigned char buffer[READ_BYTES];
  ssize_t completed = 0;
  for (;;) {
    const ssize_t n = recv(c->s.fd, buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return WAIT;
    if (n < 0) return completed;
    if (!c->shaken && handshake != NULL) {
      c->shaken = 1;
      if (send(c->s.fd, handshake, strlen(handshake), MSG_NOSIGNAL) < 0) return WAIT;
      continue;
    }
    if (!c->begun) begin(c, buffer, (size_t)n);
    for (size_t done = 0; done < (size_t)n;) {
      const size_t part = part_of(&requests, &c->in, (size_t)n - done);
      completed += (ssize_t)advance(&requests, &c->in, part);
      done += part;
    }
    if ((size_t)n < sizeof buffer) return completed;
  }
}

static void serve(connection *c, int to_all) {
  const ssize_t completed = take(c);
  if (completed == WAIT) {
    open_ones[c->s.fd] = NULL;
    close(c->s.fd);
    free(c);
    return;
  }
  for (int fd = 0; to_all && completed > 0 && fd < MAX_FILES; fd++) {
    if (open_ones[fd] == NULL) continue;
    for (ssize_t i = 0; i < completed; i++) allow(open_ones[fd]);
    write_answers(open_ones[fd]);
  }
  for (ssize_t i = 0; !to_all && i < completed; i++) allow(c);
  write_answers(c);
}

static void accept_all(int listener, int poll) {
  const int one = 1;
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    connection *c = calloc(1, sizeof *c);
    if (c == NULL || fd >= MAX_FILES) fail("too many connections");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->s.fd = fd;
    open_ones[fd] = c;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  int option, to_all = 0;
  while ((option = getopt(argc, argv, "q:a:h:b")) > 0) {
    switch (option) {
      case 'q': requests = read_cycle(optarg); break;
      case 'a': wire = read_cycle(optarg); break;
      case 'h': handshake = optarg; break;
      case 'b': to_all = 1; break;
      default: return 2;
    }
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  allow_open_files();
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096)) {
    fail("listen: %s", strerror(errno));
  }
  getsockname(listener, (struct sockaddr *)&address, &length);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    const int n = epoll_wait(poll, events, MAX_EVENTS, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr == NULL) accept_all(listener, poll);
      else serve(events[i].data.ptr, to_all);
    }
  }
}
