// Term: decides who may act, of several candidates that share one key of the coordinator, such as
// the data center with a shard's primary. At most one holds the term at any time, whatever is cut,
// slow or dead. Pure.
//
// The holder rewrites the key each kTermInterval. A candidate that has seen no change for
// kTermTimeout takes it, by compare-and-set on the revision that it saw. A holder holds for
// kTermHold after it SENT its last successful rewrite, so it has stopped before a candidate may
// begin: the rewrite arrived after it was sent, and was seen after it arrived. (A lease of etcd
// would start anew at each election.)
//
// A request that fails may have been executed, or may be executed later. The next request is then a
// read, which tells; and a request that comes late finds that the revision has changed.
//
//   while (...) {
//     std::optional<TermRequest> request = term.Next(clock.Now());
//     if (!request) wait until term.NextTime();
//     else ... send it, then term.OnRead, OnWritten or OnFailure
//   }
//
// Owned by a TermKeeper or a simulation. Its clock must count on while the machine sleeps or is
// paused, as CLOCK_BOOTTIME does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "site/coordinator/term_record.hpp"

namespace meridian::site {

struct TermRequest {
  // What to write, if the key is still at `revision`. Nothing: read the key.
  std::optional<TermRecord> write = {};
  int64_t revision = 0;

  bool operator==(const TermRequest&) const = default;
};

class Term {
 public:
  struct Options {
    std::string holder;  // this data center
    uint64_t life = 0;   // random, for each start
  };
  explicit Term(Options options) : options_(std::move(options)) {}

  // Whether to take the term, and to keep it. Who no longer wants it gives it up at once: its owner
  // must have stopped acting before.
  void SetWanted(bool wanted) { wanted_ = wanted; }

  // The next request; its outcome must be told before there is another one. Nothing: none is due.
  std::optional<TermRequest> Next(TimePoint now);
  // When Next gives a request. kNever while one is on its way.
  TimePoint NextTime() const { return waiting_ ? kNever : next_; }

  // The key as it is: the answer to a read, or to a write before which it had changed. `record` is
  // nothing where there is no key; the revisions are as those of StoredKey.
  void OnRead(TimePoint now, std::optional<TermRecord> record, int64_t revision,
              int64_t newest_revision);
  // The write was executed; the key has this revision now.
  void OnWritten(TimePoint now, int64_t revision);
  // The outcome is not known.
  void OnFailure(TimePoint now);

  bool Holds(TimePoint now) const { return now < held_until_; }
  // The owner must have stopped acting by then. TimePoint::min(): it does not hold.
  TimePoint held_until() const { return held_until_; }
  // Of the term that is held, or was held last; grows each time that it is taken. What an owner
  // does is valid under its epoch alone.
  uint64_t epoch() const { return epoch_; }
  // The newest known record. Nothing: none was read, or there is no key.
  const std::optional<TermRecord>& seen() const { return seen_; }

 private:
  struct Write {
    TermRecord record;
    TimePoint sent{};
  };

  TermRequest RequestWrite(TermRecord record, TimePoint now);
  bool IsOurs() const;
  TimePoint TakeTime() const;
  void See(TimePoint now, std::optional<TermRecord> record, int64_t revision);
  void Confirm(const Write& write);

  Options options_;
  bool wanted_ = false;
  // The key, and since when we know that it has not changed. A revision of -1: not read yet.
  std::optional<TermRecord> seen_;
  int64_t revision_ = -1;
  TimePoint seen_at_{};
  bool must_read_ = true;
  TimePoint next_ = TimePoint::min();  // not before
  // The request on its way, and a write whose outcome is not known.
  bool waiting_ = false;
  std::optional<Write> writing_;
  std::optional<Write> unknown_;
  TimePoint held_until_ = TimePoint::min();
  uint64_t epoch_ = 0;
  uint64_t writes_ = 0;  // no two are alike, so that one whose outcome is not known can be told
  // No epoch has been given yet that is greater. Beside those that were seen: the revision of the
  // store, which every epoch was beneath when it was given, and which no removed key takes along.
  uint64_t greatest_epoch_ = 0;
};

}  // namespace meridian::site
