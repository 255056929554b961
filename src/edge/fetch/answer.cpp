#include "edge/fetch/answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/cache/piece.hpp"
#include "edge/cache/range_answer.hpp"
#include "edge/cache/storage/body.hpp"
#include "edge/cache/validation.hpp"
#include "edge/fetch/own_origin.hpp"
#include "edge/fetch/routes.hpp"
#include "edge/limits.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderField;
using RangeKind = wire::http::RangeOutcome::Kind;

constexpr uint64_t kToTheEnd = std::numeric_limits<uint64_t>::max();

bool Ascend(const wire::http::RangeOutcome& ranges) {
  return std::ranges::is_sorted(ranges.parts(), {}, &wire::http::ByteRange::first);
}

class StoredAnswerSender {
 public:
  StoredAnswerSender(http::Exchange& exchange, StoredAnswer& answer)
      : exchange_(exchange),
        answer_(answer),
        stored_(*answer.response),
        body_(*answer.response->body),
        complete_(body_.complete()),
        status_(answer.status) {
    auto age =
        std::chrono::floor<std::chrono::seconds>(stored_.freshness.Age(exchange.loop().Now()));
    auto [end, error] = std::to_chars(age_.data(), age_.data() + age_.size(), age.count());
    Add("Age", {age_.data(), end});
    Add("Cache-Status", status_.text());
    if (!answer.path.empty()) Add(site::kPathField, answer.path);
    if (!answer.own_origin.empty() && !stored_.ParseLines().Has(kAllowOriginField)) {
      Add(kAllowOriginField, answer.own_origin);
      Add("Vary", "Origin");
    }
    if (complete_) {
      length_ = body_.size();
    } else if (answer.reader != nullptr) {
      length_ = answer.reader->fetch().length;
    }
  }

  io::Task<Result<void>> Run() {
    WallTime now = exchange_.loop().Wall();
    const bool has_content = stored_.status == 200 || stored_.piece;
    if (has_content && answer_.asked.conditional() &&
        IsNotModified(answer_.asked, stored_.validators, now)) {
      return NotModified();
    }
    if (stored_.piece) return PartsOfPiece(now);
    if (stored_.status == 200 && length_ && answer_.asked.range) {
      whole_ = *length_;
      ranges_ = PlanRange(answer_.asked, stored_.validators, *length_, now);
      // While the body arrives, only a window of it may be held, so that parts must ascend.
      if (!complete_ && !Ascend(ranges_)) ranges_ = {};
    }
    switch (ranges_.kind) {
      case RangeKind::kWhole:
        return Whole();
      case RangeKind::kUnsatisfiable:
        return Unsatisfiable();
      case RangeKind::kParts:
        return ranges_.count == 1 ? OnePart() : SeveralParts();
    }
    return Whole();
  }

 private:
  void Add(std::string_view name, std::string_view value) { fields_[count_++] = {name, value}; }
  wire::http::FieldsView fields() const {
    return std::span<const HeaderField>(fields_.data(), count_);
  }
  void Advance(uint64_t offset) {
    if (answer_.reader != nullptr) answer_.reader->Advance(offset);
  }
  void ReadNothing() { Advance(kToTheEnd); }

  // The requested parts; the whole piece when the origin sent another range than the requested one.
  io::Task<Result<void>> PartsOfPiece(WallTime now) {
    const Piece& piece = *stored_.piece;
    begin_ = piece.range.first;
    whole_ = piece.whole_length;
    ranges_ = PlanPiece(answer_.asked, stored_.validators, piece, now);
    const bool ready = complete_ || Ascend(ranges_);
    if (ranges_.kind != RangeKind::kParts || !ready) {
      ranges_.ranges[0] = piece.range;
      ranges_.count = 1;
    }
    return ranges_.count == 1 ? OnePart() : SeveralParts();
  }

  // The rarer answers are coroutines of their own, so that a hit has a small frame.
  io::Task<Result<void>> NotModified() {
    ReadNothing();
    // No Content-Length: RFC 9110 8.6 allows only the 200's length, or none.
    co_return co_await HeadOfUnknownLength(
        {.status = 304, .fields = fields(), .lines = stored_.lines_of_304});
  }

  io::Task<Result<void>> Unsatisfiable() {
    ReadNothing();
    std::string range = wire::http::UnsatisfiedContentRange(*length_);
    Add("Content-Range", range);
    co_return co_await exchange_.Respond({.status = 416, .fields = fields()}, {});
  }

  io::Task<Result<void>> Whole() {
    http::Response response{.status = stored_.status,
                            .fields = fields(),
                            .lines = stored_.lines,
                            .content_length = length_};
    if (answer_.asked.head) ReadNothing();
    if (answer_.asked.head || complete_) {
      Bytes bytes = complete_ ? body_.At(0) : Bytes{};
      bool in_one_piece = complete_ && bytes.size() == body_.size();
      if (answer_.asked.head || in_one_piece) {
        if (!length_) return HeadOfUnknownLength(response);
        return exchange_.Respond(response, answer_.asked.head ? Bytes{} : bytes);
      }
    }
    return Streamed(response);
  }

  io::Task<Result<void>> HeadOfUnknownLength(http::Response response) {
    Result<void> begun = exchange_.Start(response);
    if (!begun) co_return begun;
    co_return co_await exchange_.Finish({}, {});
  }

  io::Task<Result<void>> Streamed(http::Response response) {
    Result<void> begun = exchange_.Start(response);
    if (!begun) co_return begun;
    co_return co_await Send(0, length_.value_or(kToTheEnd), true);
  }

  io::Task<Result<void>> OnePart() {
    const wire::http::ByteRange part = ranges_.parts().front();
    std::string range = wire::http::ContentRange(part, whole_);
    Add("Content-Range", range);
    Result<void> begun = exchange_.Start(
        {.status = 206, .fields = fields(), .lines = stored_.lines, .content_length = part.size()});
    if (!begun) co_return begun;
    co_return co_await Send(part.first - begin_, part.size(), true);
  }

  io::Task<Result<void>> SeveralParts() {
    Multipart multipart = MakeMultipart(ranges_, stored_.content_type, whole_, answer_.nonce);
    // The stored Content-Type moves into each part, so that the stored lines cannot be sent as is.
    wire::http::HeaderFields all = stored_.ParseLines();
    all.Remove("Content-Type");
    for (const HeaderField& field : fields()) all.Add(field.name, field.value);
    all.Add("Content-Type", multipart.content_type);
    Result<void> begun =
        exchange_.Start({.status = 206, .fields = all, .content_length = multipart.length});
    for (size_t i = 0; begun && i < ranges_.count; ++i) {
      const wire::http::ByteRange& part = ranges_.ranges[i];
      begun = co_await exchange_.Write(AsBytes(multipart.headers[i]));
      if (begun) begun = co_await Send(part.first - begin_, part.size(), false);
    }
    if (!begun) co_return begun;
    co_return co_await exchange_.Finish(AsBytes(multipart.end), {});
  }

  // Sends `count` bytes from `offset`; the bytes before it need not be held for this visitor.
  io::Task<Result<void>> Send(uint64_t offset, uint64_t count, bool ends) {
    Advance(offset);
    while (count > 0) {
      const bool complete = body_.complete();  // read first: the rest may come in between
      Bytes data = complete ? body_.At(offset) : answer_.reader->At(offset);
      if (data.empty() && !complete) {
        Result<void> waited = co_await WaitForMore(offset);
        if (!waited) co_return waited;
        continue;
      }
      data = data.first(static_cast<size_t>(std::min<uint64_t>(data.size(), count)));
      offset += data.size();
      count -= data.size();
      if (complete && offset == body_.size()) count = 0;
      if (count == 0 && ends) co_return co_await exchange_.Finish(data, {});
      Result<void> sent = co_await exchange_.Write(data);
      if (!sent) co_return sent;
      Advance(offset);
    }
    if (ends) co_return co_await exchange_.Finish({}, {});
    co_return Result<void>{};
  }

  // Until bytes from `offset` on arrive.
  io::Task<Result<void>> WaitForMore(uint64_t offset) {
    CoalescedFetch::Reader& reader = *answer_.reader;
    if (reader.fetch().state() == CoalescedFetch::State::kBroken) {
      co_return Fail(Errc::kReset, "the origin broke off its response");
    }
    // Before the first byte of the body arrives, the head is sent alone.
    Result<void> flushed = co_await exchange_.Flush();
    const bool waits = reader.fetch().state() == CoalescedFetch::State::kReceiving &&
                       reader.At(offset).empty() && !body_.complete();
    if (!flushed || !waits) co_return flushed;
    co_return co_await reader.Changed();
  }

  http::Exchange& exchange_;
  StoredAnswer& answer_;
  const StoredResponse& stored_;
  const Body& body_;
  const bool complete_;  // from the beginning: the body needs no reader
  CacheStatusText status_;
  std::array<char, 20> age_;
  std::array<HeaderField, 6> fields_;
  size_t count_ = 0;
  std::optional<uint64_t> length_;
  uint64_t begin_ = 0;  // the offset of the body in the representation
  uint64_t whole_ = 0;  // the length of the representation
  wire::http::RangeOutcome ranges_;
};

}  // namespace

io::Task<void> AnswerStored(http::Exchange& exchange, StoredAnswer answer) {
  StoredAnswerSender sender(exchange, answer);
  Result<void> sent = co_await sender.Run();
  if (!sent && exchange.started()) exchange.Break();
}

io::Task<void> AnswerHere(http::Exchange& exchange, int status, std::string_view text,
                          CacheStatus cache) {
  CacheStatusText cache_status(cache);
  std::string retry_after = std::to_string(kRetryAfterSeconds);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "text/plain; charset=utf-8");
  fields.Add("Cache-Status", cache_status.text());
  if (status == 503) fields.Add("Retry-After", retry_after);
  if (status == 405) fields.Add("Allow", "GET, HEAD");
  fields.Add("Via", ViaEntry());
  (void)co_await exchange.Respond({.status = status, .fields = fields}, AsBytes(text));
}

}  // namespace meridian::edge
