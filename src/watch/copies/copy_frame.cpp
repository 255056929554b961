#include "watch/copies/copy_frame.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/log/remote/search_message.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::watch {
namespace {

constexpr std::string_view kMagic = "MCPY";
constexpr uint8_t kVersion = 1;
constexpr uint8_t kCurrent = 1;
constexpr uint8_t kGap = 2;

}  // namespace

std::string EncodeCopyRequest(const CopyRequest& request) {
  std::array<uint8_t, kMaxCopyRequestBytes> bytes{};
  ByteWriter writer(bytes);
  writer.Append(AsBytes(kMagic));
  writer.U8(kVersion);
  writer.U64(request.from.rest);
  writer.U64(request.from.urgent);
  writer.U64(request.max_bytes);
  CHECK(request.data_center.size() <= 0xff);
  writer.U8(static_cast<uint8_t>(request.data_center.size()));
  writer.Append(AsBytes(request.data_center));
  return std::string(AsText(writer.written()));
}

std::string EncodeCopyFrame(const CopyFrame& frame) {
  const std::string page = ToJson(frame.page, LogOrder::kArrival);
  std::array<uint8_t, kCopyFrameHeadBytes> head{};
  ByteWriter writer(head);
  writer.U32(static_cast<uint32_t>(page.size()));
  writer.U64(frame.cursor.rest);
  writer.U64(frame.cursor.urgent);
  writer.U64(frame.kept);
  writer.U64(frame.first);
  writer.U64(static_cast<uint64_t>(frame.searched.time_since_epoch().count()));
  writer.U8(static_cast<uint8_t>((frame.current ? kCurrent : 0) | (frame.gap ? kGap : 0)));
  return std::string(AsText(writer.written())) + page;
}

Result<std::optional<CopyRequest>> TakeCopyRequest(Buffer& in) {
  // What is wrong from the first byte on is not waited for.
  const std::string_view front = in.text().substr(0, kMagic.size());
  if (!kMagic.starts_with(front)) return Fail(Errc::kInvalid, "it is no request for copies");
  ByteReader reader(in.readable());
  reader.Skip(kMagic.size());
  const uint8_t version = reader.U8();
  if (reader.ok() && version != kVersion) {
    return Fail(Errc::kInvalid, "version {} of copies is not known", version);
  }
  CopyRequest request;
  request.from = {.rest = reader.U64(), .urgent = reader.U64()};
  request.max_bytes = reader.U64();
  request.data_center = AsText(reader.Take(reader.U8()));
  if (!reader.ok()) return std::nullopt;
  in.Consume(reader.offset());
  return request;
}

Result<std::optional<CopyFrame>> TakeCopyFrame(Buffer& in) {
  ByteReader reader(in.readable());
  const uint32_t bytes = reader.U32();
  if (reader.ok() && bytes > kMaxPageMessageBytes) {
    return Fail(Errc::kTooLarge, "a page of {} bytes", bytes);
  }
  CopyFrame frame;
  frame.cursor = {.rest = reader.U64(), .urgent = reader.U64()};
  frame.kept = reader.U64();
  frame.first = reader.U64();
  frame.searched = LogTime{std::chrono::microseconds{static_cast<int64_t>(reader.U64())}};
  const uint8_t flags = reader.U8();
  frame.current = (flags & kCurrent) != 0;
  frame.gap = (flags & kGap) != 0;
  const std::string_view json = AsText(reader.Take(bytes));
  if (!reader.ok()) return std::nullopt;
  if (flags > (kCurrent | kGap)) return Fail(Errc::kInvalid, "the flags {} are not known", flags);
  auto page = ReadLogPage(json);
  if (!page) return Fail(std::move(page.error()));
  if (frame.cursor.urgent < frame.cursor.rest) return Fail(Errc::kInvalid, "a cursor is wrong");
  frame.page = std::move(*page);
  in.Consume(reader.offset());
  return frame;
}

}  // namespace meridian::watch
