#include "site/coordinator/term_keeper.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/limits.hpp"
#include "site/coordinator/term.hpp"
#include "site/coordinator/term_record.hpp"

namespace meridian::site {

TermKeeper::TermKeeper(io::Loop& loop, KeyStore& store, Options options)
    : loop_(loop),
      store_(store),
      options_(std::move(options)),
      term_({.holder = options_.holder, .life = options_.life}) {}

void TermKeeper::SetWanted(bool wanted) { term_.SetWanted(wanted); }

io::Task<void> TermKeeper::Run() {
  for (;;) {
    std::optional<TermRequest> request = term_.Next(loop_.Now());
    if (!request) {
      if (!co_await io::SleepUntil(term_.NextTime())) co_return;
      continue;
    }
    const Result<void> outcome = co_await Send(std::move(*request));
    if (!outcome && outcome.error().code == Errc::kCancelled) co_return;
    NoteOutcome(outcome);
    changed_.WakeAll();
  }
}

io::Task<Result<void>> TermKeeper::Send(TermRequest request) {
  const TimePoint deadline = loop_.After(kEtcdTimeout);
  if (!request.write) {
    Result<StoredKey> key = co_await store_.Read(options_.key, deadline);
    if (key) co_return TakeRead(*key);
    term_.OnFailure(loop_.Now());
    co_return Fail(std::move(key.error()));
  }
  Result<KeyWrite> written =
      co_await store_.Write(options_.key, ToJson(*request.write), request.revision, deadline);
  if (!written) {
    term_.OnFailure(loop_.Now());
    co_return Fail(std::move(written.error()));
  }
  if (!written->done) co_return TakeRead(written->now);
  term_.OnWritten(loop_.Now(), written->now.revision);
  co_return Result<void>{};
}

// A value that is not ours is left alone.
Result<void> TermKeeper::TakeRead(const StoredKey& key) {
  std::optional<TermRecord> record;
  if (key.revision != 0) {
    Result<TermRecord> read = ReadTermRecord(key.value);
    if (!read) {
      term_.OnFailure(loop_.Now());
      return Fail(Errc::kInvalid, "the key {} has no term in it: {}", options_.key,
                  read.error().message);
    }
    record = std::move(*read);
  }
  term_.OnRead(loop_.Now(), std::move(record), key.revision, key.newest_revision);
  return {};
}

void TermKeeper::NoteOutcome(const Result<void>& outcome) {
  problem_text_ = outcome ? "" : outcome.error().message;
  if (!outcome && problem_.OnProblem(problem_text_, loop_.Now())) {
    LOG_WARNING("the coordinator does not answer", {"term", options_.key},
                {"problem", problem_text_});
  } else if (outcome && problem_.OnSolved()) {
    LOG_INFO("the coordinator answers again", {"term", options_.key});
  }
}

io::Task<Result<void>> TermKeeper::AwaitChange(TimePoint deadline) {
  const bool before = Holds();
  while (Holds() == before) {
    const TimePoint end = before ? std::min(deadline, term_.held_until()) : deadline;
    Result<void> woken = co_await changed_.Wait(end);
    if (woken || Holds() != before) continue;
    if (woken.error().code != Errc::kTimeout || loop_.Now() >= deadline) co_return woken;
  }
  co_return Result<void>{};
}

}  // namespace meridian::site
