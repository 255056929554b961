#include "session/commands/long_reply.hpp"

#include <cstddef>
#include <string>

#include "session/data/entry.hpp"
#include "session/engine/glob.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {
namespace {

constexpr size_t kParts = 16;  // of the items of one loop iteration

}  // namespace

bool KeysReply::Continue(wire::resp::ReplyWriter& reply) {
  if (!collected_) {
    Collect(reply.version());
    if (bytes_ > kMaxReplyBytes) {
      reply.Error("ERR the reply would be longer than " + std::to_string(kMaxReplyBytes) +
                  " bytes: use SCAN");
      return false;
    }
    if (collected_) reply.Array(count_);
  } else {
    reply.Raw(names_.front().text());
    names_.pop_front();
  }
  return !collected_ || !names_.empty();
}

void KeysReply::Collect(wire::resp::Version version) {
  auto collect = [&](const Entry& entry) {
    if (pattern_ && !MatchesGlob(*pattern_, entry.key())) return;
    if (names_.empty() || names_.back().size() > kFlushReplyBytes) {
      names_.emplace_back(kFlushReplyBytes * 2);
    }
    size_t before = names_.back().size();
    wire::resp::ReplyWriter(&names_.back(), version).Bulk(entry.key());
    bytes_ += names_.back().size() - before;
    ++count_;
  };
  // Names may be long: a part at a time, while the loop iteration has room.
  size_t before = bytes_;
  for (size_t i = 0; i < kParts && bytes_ - before < kReplyBytesPerIteration && !collected_; ++i) {
    cursor_ = keyspace_.Walk(cursor_, kReplyItemsPerIteration / kParts, collect);
    collected_ = cursor_ == 0;
  }
}

}  // namespace meridian::session
