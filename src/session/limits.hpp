// The limits of the session tier.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "wire/resp/limits.hpp"

namespace meridian::session {

// Bytes of a key's name. Past it: an error where the command might make such a key; else the key
// does not exist.
constexpr size_t kMaxKeyBytes = 32 * 1024;
// Bytes of one argument: a string, a field, a member. Past it: an error.
constexpr size_t kMaxValueBytes = size_t{64} * 1024 * 1024;

// Connections of clients. Past it: "ERR max number of clients reached".
constexpr size_t kMaxClients = 10000;
// Connections that are being refused with that error; further ones are closed without it.
constexpr size_t kMaxRefusing = 64;
// How long a connection may stay without authentication, where a password is required.
constexpr Duration kAuthenticationTimeout = std::chrono::seconds{5};
// Bytes that are read and ignored after a client was refused, and for how long.
constexpr size_t kMaxLingerBytes = size_t{1} << 20;
constexpr Duration kLingerTimeout = std::chrono::seconds{2};
// At most one log line in this interval about unauthenticated connections, and one about HTTP.
constexpr Duration kUnauthenticatedLogInterval = std::chrono::minutes{1};
// Bytes of one read.
constexpr size_t kReadBytes = size_t{16} * 1024;
// Replies of one connection that wait to be sent. A reply may not be larger: then the connection is
// closed.
constexpr size_t kMaxReplyBytes = size_t{256} * 1024 * 1024;
// Number of requests whose keys are prefetched before the first of them is executed; and the bytes
// of requests that are kept while other connections are read. Longer input is executed at once.
constexpr size_t kMaxPrefetches = 16;
constexpr size_t kStagedBytes = 1024;
// With so many bytes of replies no further request is executed until they are sent.
constexpr size_t kFlushReplyBytes = size_t{64} * 1024;
// Keys, fields or members that one loop iteration adds to a long reply (KEYS, HGETALL, HKEYS,
// HVALS, SMEMBERS), and about how many bytes.
constexpr size_t kReplyItemsPerIteration = 4096;
constexpr size_t kReplyBytesPerIteration = size_t{256} * 1024;
// Replies of one hash or set that are made over several loop iterations at the same time: a command
// that changes it completes all of them. A further reply is made at once.
constexpr size_t kMaxReadings = 16;
// Messages that wait for a subscriber that does not read. Past it: it is disconnected.
constexpr size_t kMaxSubscriberBytes = size_t{8} * 1024 * 1024;
// How long a client may leave its replies unread.
constexpr Duration kWriteTimeout = std::chrono::seconds{60};
// How often `status` is updated, and how far behind another data center's sessions is a problem.
constexpr Duration kStatusInterval = std::chrono::seconds{1};
constexpr Duration kFarBehind = std::chrono::seconds{30};
// How long sending "max number of clients reached" may take.
constexpr Duration kRefusalTimeout = std::chrono::milliseconds{50};
// After SIGTERM: how long clients that go on sending requests are answered. With kLingerTimeout it
// is within site::kDrainTimeout.
constexpr Duration kDrainGrace = std::chrono::seconds{2};

// Memory of the requests queued in MULTI. Past it: an error, and EXEC is refused.
constexpr size_t kMaxQueuedBytes = size_t{64} * 1024 * 1024;
// Bytes that the requests of one EXEC may write; further ones are refused. It can be more than was
// queued where a request writes more than it contains (SETRANGE, COPY).
constexpr size_t kMaxTransactionBytes = kMaxQueuedBytes;
// Keys that a connection watches; channels and patterns that it has subscribed to.
constexpr size_t kMaxWatchedKeys = 4096;
constexpr size_t kMaxSubscriptions = 16384;
// A hash with at most so many fields, each name and value of at most so many bytes, keeps the order
// in which fields were added; a set of at most so many integers is sorted. OBJECT ENCODING says
// "listpack" and "intset", as Redis does by default.
constexpr size_t kSmallHashFields = 128;
constexpr size_t kSmallHashBytes = 64;
constexpr size_t kSmallSetMembers = 512;
// Repeated elements that HRANDFIELD and SRANDMEMBER return.
constexpr int64_t kMaxRandomElements = int64_t{1} << 20;
// COUNT of one SCAN, HSCAN or SSCAN; a larger one is lowered to this.
constexpr size_t kMaxScanCount = 65536;
// Bytes of a pattern of KEYS, SCAN, PSUBSCRIBE, CONFIG GET.
constexpr size_t kMaxPatternBytes = 4096;

// The sweep that removes expired keys: segments of 512 slots that one loop iteration passes, and
// segments with something due whose keys it visits; the pause between two iterations, and when
// there was more than one iteration may do.
constexpr size_t kSweepSegments = 4096;
constexpr size_t kSweepDueSegments = 16;
constexpr Duration kSweepPause = std::chrono::milliseconds{100};
constexpr Duration kBusySweepPause = std::chrono::milliseconds{1};
// When a tombstone that other data centers still need is visited again.
constexpr int64_t kTombstoneRecheckMs = 1000;
// Removed items that are freed in one loop iteration; and the number of fields or members up to
// which a removed key is freed at once. A segment of the table is freed at once.
constexpr size_t kFreedPerIteration = 16384;
constexpr size_t kFreedAtOnce = 64;
// Keys that one loop iteration visits after another data center's FLUSHALL.
constexpr size_t kFlushSlice = 4096;
// Fields and members that one loop iteration visits to drop tombstones.
constexpr size_t kTombstonesPerIteration = 16384;
// All items of a key are visited to drop some of its tombstones only if so many times the
// tombstones are at least as many as the items.
constexpr size_t kTombstonesWorthAWalk = 4;

// A snapshot is written in slices, between which other fibers run: of so many keys, or fields or
// members of a large key, and about so many bytes. A key of more than kSnapshotItemBytes is large.
constexpr size_t kSnapshotSlice = 256;
constexpr size_t kSnapshotSliceBytes = size_t{256} * 1024;
constexpr size_t kSnapshotItemBytes = size_t{64} * 1024;

// How often a data center writes a heartbeat.
constexpr Duration kHeartbeatInterval = std::chrono::seconds{1};
// WAIT waits at most for so long, also with a timeout of 0.
constexpr Duration kMaxWait = std::chrono::seconds{60};

// Bytes of a value, and number of fields or members, that `meridian session get` shows.
constexpr size_t kShownBytes = 1024;
constexpr size_t kShownItems = 100;

// The lowest maxmemory.
constexpr size_t kMinMaxMemoryBytes = size_t{1} << 20;
// A stamp of another data center that is further ahead of our clock is refused.
constexpr Duration kMaxPeerClockSkew = std::chrono::seconds{5};
// Pause between two checks whether a data center with a new disk has applied something of all
// others.
constexpr Duration kContactPause = std::chrono::milliseconds{5};
// While there are keys of the cache to evict, memory may exceed maxmemory by this fraction (an
// 8th). Then a write is accepted if more is evicted for it than it writes; a write to the cache is
// refused.
constexpr size_t kMemorySlack = 8;
// Past so many times maxmemory every write that takes memory is refused.
constexpr size_t kMaxMemoryFactor = 2;
// Samples that are compared to find a key to evict, and keys evicted for one write.
constexpr int kEvictionSamples = 5;
constexpr int kMaxEvictions = 64;
constexpr int kMaxUrgentEvictions = 1024;  // past kMemorySlack

}  // namespace meridian::session
