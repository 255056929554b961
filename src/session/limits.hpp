// The limits of the session tier.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "wire/resp/limits.hpp"

namespace meridian::session {

// A key's name. Past it: an error where the command might make such a key, else there is none.
constexpr size_t kMaxKeyBytes = 32 * 1024;
// A string, or one field or member: what one argument may have. Past it: an error.
constexpr size_t kMaxValueBytes = size_t{64} * 1024 * 1024;

// Connections of clients. Past it: "ERR max number of clients reached".
constexpr size_t kMaxClients = 10000;
// Connections that are being told so; more are closed without a word.
constexpr size_t kMaxRefusing = 64;
// How long a connection may be open without having authenticated, where a password is asked for.
constexpr Duration kAuthenticationTimeout = std::chrono::seconds{5};
// What is read, and thrown away, of a client that was refused, and for how long.
constexpr size_t kMaxLingerBytes = size_t{1} << 20;
constexpr Duration kLingerTimeout = std::chrono::seconds{2};
// How often the log tells of what strangers do at the port.
constexpr Duration kUnauthenticatedLogInterval = std::chrono::minutes{1};
// What is read of a connection at once.
constexpr size_t kReadBytes = size_t{16} * 1024;
// The replies of one connection that wait to be sent. One request's may not be larger: then the
// connection is closed.
constexpr size_t kMaxReplyBytes = size_t{256} * 1024 * 1024;
// Requests whose keys are fetched into the processor's cache before the first of them is executed;
// and of the requests that a connection has sent, the bytes that are kept meanwhile, while other
// connections are read. More are executed where they were read.
constexpr size_t kMaxPrefetches = 16;
constexpr size_t kStagedBytes = 1024;
// With so many bytes of replies no further request is begun until they are sent.
constexpr size_t kFlushReplyBytes = size_t{64} * 1024;
// Keys, fields or members that one turn puts into a reply of many (KEYS, HGETALL, HKEYS, HVALS,
// SMEMBERS), and about how many bytes: what so many short ones take.
constexpr size_t kReplyItemsPerIteration = 4096;
constexpr size_t kReplyBytesPerIteration = size_t{256} * 1024;
// Replies of one hash or set that are made in turns at the same time: whoever changes it makes all
// of them. One more is made at once.
constexpr size_t kMaxReadings = 16;
// Messages that wait for a subscriber who does not read. Past it: it is cut off.
constexpr size_t kMaxSubscriberBytes = size_t{8} * 1024 * 1024;
// How long a client may leave its replies unread.
constexpr Duration kWriteTimeout = std::chrono::seconds{60};
// How often it is looked whether there is something to say in status, and how far behind another
// data center's sessions that is so.
constexpr Duration kStatusInterval = std::chrono::seconds{1};
constexpr Duration kFarBehind = std::chrono::seconds{30};
// To say to a client that there are too many.
constexpr Duration kRefusalTimeout = std::chrono::milliseconds{50};
// After SIGTERM: how long clients that go on asking are answered, and parts of requests may be
// completed. With kLingerTimeout within site::kDrainTimeout.
constexpr Duration kDrainGrace = std::chrono::seconds{2};

// Bytes of the requests that wait in MULTI, with what keeps them. Past it: an error, and EXEC is
// refused.
constexpr size_t kMaxQueuedBytes = size_t{64} * 1024 * 1024;
// What the requests of one EXEC may write; those after it are refused. It is more than was queued
// where a request writes more than it says (SETRANGE, COPY).
constexpr size_t kMaxTransactionBytes = kMaxQueuedBytes;
// Keys that a connection watches; channels and patterns that it has subscribed to.
constexpr size_t kMaxWatchedKeys = 4096;
constexpr size_t kMaxSubscriptions = 16384;
// A hash of so many fields, each name and value of so many bytes, keeps the order in which fields
// were added; a set of so many integers is in their order. OBJECT ENCODING says "listpack" and
// "intset", as Redis with its first settings does.
constexpr size_t kSmallHashFields = 128;
constexpr size_t kSmallHashBytes = 64;
constexpr size_t kSmallSetMembers = 512;
// Elements that HRANDFIELD and SRANDMEMBER give repeatedly at the most.
constexpr int64_t kMaxRandomElements = int64_t{1} << 20;
// COUNT of one SCAN, HSCAN or SSCAN; more is taken for this.
constexpr size_t kMaxScanCount = 65536;
// A pattern of KEYS, SCAN, PSUBSCRIBE, CONFIG GET: its bytes.
constexpr size_t kMaxPatternBytes = 4096;

// A turn of the sweep that finds what has ended: the segments of 512 slots that it passes, and
// those with something due, whose keys it looks at. The pause before the next turn, and when there
// was more than a turn may take.
constexpr size_t kSweepSegments = 4096;
constexpr size_t kSweepDueSegments = 16;
constexpr Duration kSweepPause = std::chrono::milliseconds{100};
constexpr Duration kBusySweepPause = std::chrono::milliseconds{1};
// A key that only others' knowledge keeps here is looked at again after this.
constexpr int64_t kTombstoneRecheckMs = 1000;
// Of what is gone: items that are freed in one turn of the sweep, and fields or members of a key up
// to which they are freed where it ends. A segment of the table is freed at once.
constexpr size_t kFreedPerIteration = 16384;
constexpr size_t kFreedAtOnce = 64;
// Keys that one turn looks at after another data center's FLUSHALL.
constexpr size_t kFlushSlice = 4096;
// Fields and members that one turn of the sweep looks at for traces of removed ones.
constexpr size_t kTombstonesPerIteration = 16384;
// Traces of removed fields or members are looked for in all of a key's when so many times them are
// as many as what is there.
constexpr size_t kTombstonesWorthAWalk = 4;

// A snapshot is written in slices, between which other fibers run: of so many keys, or fields or
// members of a large one, and about so many bytes at the most. A key that takes more than an item
// should have is large.
constexpr size_t kSnapshotSlice = 256;
constexpr size_t kSnapshotSliceBytes = size_t{256} * 1024;
constexpr size_t kSnapshotItemBytes = size_t{64} * 1024;

// How often a data center says how far it is.
constexpr Duration kHeartbeatInterval = std::chrono::seconds{1};
// Connections of other data centers, for their handshakes too. Past it: closed without a word.
constexpr size_t kMaxPeerConnections = 256;
constexpr Duration kPeerHandshakeTimeout = std::chrono::seconds{5};
// WAIT waits for so long at the most, also when it is asked to wait for ever.
constexpr Duration kMaxWait = std::chrono::seconds{60};

// What operators are shown of a key: bytes of a value, fields or members.
constexpr size_t kShownBytes = 1024;
constexpr size_t kShownItems = 100;

// The least that maxmemory may be.
constexpr size_t kMinMaxMemoryBytes = size_t{1} << 20;
// A stamp of another data center that is further ahead of our clock is refused.
constexpr Duration kMaxPeerClockSkew = std::chrono::seconds{5};
// Between two looks whether a data center with a new disk has heard of the others.
constexpr Duration kContactPause = std::chrono::milliseconds{5};
// While there are keys of the cache to evict, memory may be over maxmemory by this part of it; then
// a write is taken where less is written than is evicted for it, and to the cache none.
constexpr size_t kMemorySlack = 8;
// Past so many times maxmemory every write that takes memory is refused.
constexpr size_t kMaxMemoryFactor = 2;
// Keys that are compared to find one to evict, and those evicted for one write at most.
constexpr int kEvictionSamples = 5;
constexpr int kMaxEvictions = 64;
constexpr int kMaxUrgentEvictions = 1024;  // past kMemorySlack

}  // namespace meridian::session
