#include "site/coordinator/term.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "site/coordinator/limits.hpp"
#include "site/coordinator/term_record.hpp"

namespace meridian::site {

std::optional<TermRequest> Term::Next(TimePoint now) {
  if (waiting_ || now < next_) return std::nullopt;
  next_ = now + kTermInterval;
  if (!must_read_ && Holds(now)) {
    TermRecord record = *seen_;
    if (!wanted_) {
      record.holder.clear();
      held_until_ = TimePoint::min();
    }
    return RequestWrite(std::move(record), now);
  }
  if (!must_read_ && wanted_ && !seen_) {
    return RequestWrite({.life = options_.life}, now);
  }
  if (!must_read_ && wanted_ && now >= TakeTime()) {
    return RequestWrite(
        {.holder = options_.holder, .life = options_.life, .epoch = greatest_epoch_ + 1}, now);
  }
  waiting_ = true;
  return TermRequest{};
}

TermRequest Term::RequestWrite(TermRecord record, TimePoint now) {
  waiting_ = true;
  record.beat = ++writes_;
  writing_ = Write{.record = std::move(record), .sent = now};
  return {.write = writing_->record, .revision = revision_};
}

bool Term::IsOurs() const {
  return seen_ && seen_->life == options_.life && seen_->holder == options_.holder;
}

// When the key may be taken if it does not change. Who has held it last itself, and does not any
// more, has stopped. A key of epoch 0 was made where there was none: somebody may have removed it
// while it was held. No key is taken before it is made so, as nothing shows that another one was
// there and removed meanwhile.
TimePoint Term::TakeTime() const {
  if (!seen_) return TimePoint::min();
  const bool free = seen_->epoch > 0 && (seen_->holder.empty() || IsOurs());
  return free ? TimePoint::min() : seen_at_ + kTermTimeout;
}

void Term::OnRead(TimePoint now, std::optional<TermRecord> record, int64_t revision,
                  int64_t newest_revision) {
  CHECK(waiting_);
  waiting_ = false;
  must_read_ = false;
  writing_.reset();
  See(now, std::move(record), revision);
  greatest_epoch_ = std::max(greatest_epoch_, static_cast<uint64_t>(newest_revision));
  // Whether the write whose outcome was not known has been executed.
  if (unknown_ && seen_ == unknown_->record) Confirm(*unknown_);
  unknown_.reset();
  if (!IsOurs()) held_until_ = TimePoint::min();
  if (wanted_ && !Holds(now)) next_ = std::min(next_, std::max(now, TakeTime()));
}

void Term::OnWritten(TimePoint now, int64_t revision) {
  CHECK(waiting_ && writing_);
  waiting_ = false;
  const Write write = *std::exchange(writing_, std::nullopt);
  See(now, write.record, revision);
  Confirm(write);
}

void Term::OnFailure(TimePoint now) {
  CHECK(waiting_);
  waiting_ = false;
  must_read_ = true;
  // A read that fails leaves what is not known as it was.
  if (writing_) unknown_ = std::exchange(writing_, std::nullopt);
  next_ = now + kTermRetry;
}

void Term::See(TimePoint now, std::optional<TermRecord> record, int64_t revision) {
  if (record) greatest_epoch_ = std::max(greatest_epoch_, record->epoch);
  if (revision == revision_) return;
  seen_ = std::move(record);
  revision_ = revision;
  seen_at_ = now;
}

// The key has what we wrote: we hold from when it was sent, unless we gave it up.
void Term::Confirm(const Write& write) {
  if (write.record.holder.empty()) return;  // given up, or made
  epoch_ = write.record.epoch;
  held_until_ = write.sent + kTermHold;
}

}  // namespace meridian::site
