// wsload: WebSocket echo load, closed loop, one thread, epoll. Linux only.
//
//   wsload -p PORT [-c CONNECTIONS] [-i INFLIGHT] [-s SIZE] [-w WARM_SECONDS] [-d SECONDS] [-n MESSAGES] [-t]
//
// Each connection keeps INFLIGHT messages of SIZE bytes in flight (binary, or text with -t) and answers every echo
// with the next message. The messages repeat in a cycle, so the exact bytes that the server must send are known:
// every byte that arrives is compared, and the first wrong one ends the run. After WARM_SECONDS it measures for
// SECONDS, or until MESSAGES have come back, and prints one line:
// "messages=N seconds=S rate=MESSAGES_PER_SECOND bytes=PAYLOAD_BYTES_PER_SECOND".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, CYCLE_BYTES = 1 << 16, MAX_EVENTS = 512, HANDSHAKE_SECONDS = 5, GRACE_SECONDS = 10 };

typedef struct {
  int fd;
  size_t write_at;  // offset in the cycle of frames to send
  size_t to_write;  // bytes that may be sent now
  size_t read_at;   // offset in the cycle of frames to expect
} connection;

// A cycle of frames that a peer sends again and again.
typedef struct {
  unsigned char *bytes;
  size_t frame;  // bytes of one frame
  size_t total;  // bytes of all frames
} cycle;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("wsload: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// RFC 6455 section 5.2: one whole message in one frame. Returns the header's length.
static size_t put_header(unsigned char *at, size_t size, int text, int masked) {
  size_t n = 0;
  const unsigned char mask_bit = masked ? 0x80 : 0;
  at[n++] = 0x80 | (text ? 1 : 2);
  if (size < 126) {
    at[n++] = mask_bit | (unsigned char)size;
  } else if (size < 65536) {
    at[n++] = mask_bit | 126;
    at[n++] = (unsigned char)(size >> 8);
    at[n++] = (unsigned char)size;
  } else {
    at[n++] = mask_bit | 127;
    for (int shift = 56; shift >= 0; shift -= 8) at[n++] = (unsigned char)((unsigned long long)size >> shift);
  }
  return n;
}

// Message i of the cycle starts with letter i and goes on with the alphabet; every frame has a mask of its own.
static cycle make_cycle(size_t count, size_t size, int text, int masked) {
  unsigned char header[14];
  const size_t header_bytes = put_header(header, size, text, masked) + (masked ? 4 : 0);
  cycle c = {.frame = header_bytes + size, .total = count * (header_bytes + size)};
  c.bytes = malloc(c.total);
  if (c.bytes == NULL) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    unsigned char *at = c.bytes + i * c.frame;
    unsigned char mask[4] = {0, 0, 0, 0};
    size_t n = put_header(at, size, text, masked);
    for (int k = 0; masked && k < 4; k++) at[n++] = mask[k] = (unsigned char)(0x12 + 59 * (int)i + 71 * k);
    for (size_t k = 0; k < size; k++) at[n + k] = (unsigned char)('a' + (i + k) % 26) ^ mask[k & 3];
  }
  return c;
}

// RFC 6455 section 4.1: the handshake, with blocking reads under a timeout.
static int open_websocket(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int one = 1;
  const struct timeval timeout = {.tv_sec = HANDSHAKE_SECONDS};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect: %s", strerror(errno));
  char text[4096];
  const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  if (write(fd, request, sizeof request - 1) != sizeof request - 1) fail("handshake: %s", strerror(errno));
  size_t got = 0;
  do {
    const ssize_t n = read(fd, text + got, sizeof text - 1 - got);
    if (n <= 0) fail("handshake: no whole answer");
    got += (size_t)n;
    text[got] = 0;
  } while (strstr(text, "\r\n\r\n") == NULL);
  if (strncmp(text, "HTTP/1.1 101", 12)) fail("handshake: expected 101, got %.*s", (int)strcspn(text, "\r\n"), text);
  if (strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL) fail("handshake: wrong Sec-WebSocket-Accept");
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// Reads all there is, compares it, and returns how many echoes were completed.
static size_t read_echoes(connection *c, const cycle *echo) {
  static unsigned char buffer[READ_BYTES];
  size_t completed = 0;
  for (;;) {
    const ssize_t n = read(c->fd, buffer, sizeof buffer);
    if (n < 0 && errno == EAGAIN) return completed;
    if (n < 0) fail("read: %s", strerror(errno));
    if (n == 0) fail("the server closed a connection");
    size_t done = 0;
    while (done < (size_t)n) {
      size_t part = echo->total - c->read_at;
      if (part > (size_t)n - done) part = (size_t)n - done;
      if (memcmp(buffer + done, echo->bytes + c->read_at, part)) {
        fail("wrong bytes in an echo (read %zd bytes, first 0x%02x 0x%02x)", n, buffer[done], buffer[done + 1]);
      }
      const size_t end = c->read_at + part;
      completed += end / echo->frame - c->read_at / echo->frame;
      c->read_at = end == echo->total ? 0 : end;
      done += part;
    }
    if ((size_t)n < sizeof buffer) return completed;
  }
}

static void write_messages(connection *c, const cycle *send) {
  while (c->to_write > 0) {
    size_t part = send->total - c->write_at;
    if (part > c->to_write) part = c->to_write;
    const ssize_t n = write(c->fd, send->bytes + c->write_at, part);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) fail("write: %s", strerror(errno));
    c->write_at = (c->write_at + (size_t)n) % send->total;
    c->to_write -= (size_t)n;
  }
}

int main(int argc, char **argv) {
  int port = 0, connections = 64, text = 0, option;
  size_t in_flight = 1, size = 20, enough = (size_t)-1;
  double warm_seconds = 1, seconds = 5;
  while ((option = getopt(argc, argv, "p:c:i:s:w:d:n:t")) > 0) {
    switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'c': connections = atoi(optarg); break;
      case 'i': in_flight = strtoul(optarg, NULL, 10); break;
      case 's': size = strtoul(optarg, NULL, 10); break;
      case 'w': warm_seconds = atof(optarg); break;
      case 'd': seconds = atof(optarg); break;
      case 'n': enough = strtoul(optarg, NULL, 10); break;
      case 't': text = 1; break;
      default: return 2;
    }
  }
  if (port <= 0 || port > 65535 || connections <= 0 || in_flight == 0 || seconds <= 0) fail("bad arguments");
  // Ends this process whatever happens: a server that goes silent must not hold it.
  alarm((unsigned)(warm_seconds + seconds) + HANDSHAKE_SECONDS + GRACE_SECONDS);

  size_t count = CYCLE_BYTES / (size + 14);
  if (count < in_flight) count = in_flight;
  if (count < 2) count = 2;
  const cycle send = make_cycle(count, size, text, 1);
  const cycle echo = make_cycle(count, size, text, 0);

  const int poll = epoll_create1(0);
  connection *all = calloc((size_t)connections, sizeof *all);
  if (poll < 0 || all == NULL) fail("cannot start: %s", strerror(errno));
  for (int i = 0; i < connections; i++) {
    all[i].fd = open_websocket(port);
    all[i].to_write = send.frame * in_flight;
  }
  for (int i = 0; i < connections; i++) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &all[i]};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event)) fail("epoll_ctl: %s", strerror(errno));
  }

  double from = now() + warm_seconds, t;
  const double until = from + seconds;
  size_t total = 0, before = 0;
  int warm = 0;
  while ((t = now()) < until && total - before < enough) {
    if (!warm && t >= from) {
      warm = 1;
      before = total;
      from = t;
    }
    struct epoll_event events[MAX_EVENTS];
    const int n = epoll_wait(poll, events, MAX_EVENTS, 50);
    for (int i = 0; i < n; i++) {
      connection *c = events[i].data.ptr;
      const size_t completed = read_echoes(c, &echo);
      total += completed;
      c->to_write += completed * send.frame;
      write_messages(c, &send);
    }
  }
  const double elapsed = t - from, messages = (double)(total - before);
  if (messages == 0) fail("no echo arrived within %.1f s", seconds);
  printf("messages=%.0f seconds=%.3f rate=%.1f bytes=%.0f\n", messages, elapsed, messages / elapsed,
         messages / elapsed * (double)size);
  return 0;
}
