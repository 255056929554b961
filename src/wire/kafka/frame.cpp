#include "wire/kafka/frame.hpp"

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/sink.hpp"

namespace meridian::wire::kafka {
namespace {

constexpr size_t kLengthBytes = 4;

// Skips the tagged fields of a header; none is defined for clients.
void SkipTaggedFields(Cursor* cursor) {
  uint32_t count = cursor->Uvarint();
  for (uint32_t i = 0; i < count && cursor->ok(); ++i) {
    cursor->Uvarint();
    cursor->Take(cursor->Uvarint());
  }
}

// Builds a frame at the end of `out`, or leaves `out` as it was.
class FrameBuilder {
 public:
  explicit FrameBuilder(Frame* out)
      : out_(out), sink_(&out->bytes), begin_(out->bytes.size()), gaps_before_(out->gaps.size()) {
    sink_.I32(0);  // the length, known at the end
  }

  Sink& sink() { return sink_; }

  Result<> Finish(Result<> encoded) {
    size_t length = out_->bytes.size() - begin_ - kLengthBytes;
    for (size_t i = gaps_before_; i < out_->gaps.size(); ++i) length += out_->gaps[i].bytes;
    if (encoded && length > kMaxFrameBytes) {
      encoded = Fail(Errc::kTooLarge, "a frame of {} bytes", length);
    }
    if (!encoded) {
      out_->bytes.resize(begin_);
      out_->gaps.resize(gaps_before_);
      return encoded;
    }
    for (size_t i = 0; i < kLengthBytes; ++i) {
      out_->bytes[begin_ + i] = static_cast<uint8_t>(length >> (8 * (kLengthBytes - 1 - i)));
    }
    return {};
  }

 private:
  Frame* out_;
  Sink sink_;
  size_t begin_;
  size_t gaps_before_;
};

}  // namespace

const ApiDescription& internal::ApiOf(ApiKey key) {
  const ApiDescription* api = FindApi(static_cast<int16_t>(key));
  CHECK(api != nullptr);
  return *api;
}

Result<RequestHeader> DecodeRequestHeader(Bytes request) {
  Cursor cursor(request);
  RequestHeader header;
  header.api_key = cursor.I16();
  header.api_version = cursor.I16();
  header.correlation_id = cursor.I32();
  header.api = FindApi(header.api_key);
  if (!cursor.ok()) return Fail(Errc::kInvalid, "request of {} bytes", request.size());
  if (!header.supported()) return header;
  // The client id has a 16-bit length even where the version is flexible.
  if (int16_t length = cursor.I16(); length >= 0) {
    header.client_id = AsText(cursor.Take(static_cast<size_t>(length)));
  } else if (length != -1) {
    return Fail(Errc::kInvalid, "client id of {} bytes", length);
  }
  if (header.api->flexible(header.api_version)) SkipTaggedFields(&cursor);
  if (!cursor.ok()) return Fail(Errc::kInvalid, "malformed header of a request");
  header.body = request.last(cursor.remaining());
  return header;
}

Result<ResponseHeader> DecodeResponseHeader(const ApiDescription& api, int16_t api_version,
                                            Bytes response) {
  Cursor cursor(response);
  ResponseHeader header{.correlation_id = cursor.I32()};
  if (api.flexible(api_version) && api.key != ApiKey::kApiVersions) SkipTaggedFields(&cursor);
  if (!cursor.ok()) return Fail(Errc::kInvalid, "malformed header of a response");
  header.body = response.last(cursor.remaining());
  return header;
}

Result<> internal::EncodeRequestFrame(const ApiDescription& api, const RequestIdentity& identity,
                                      const Schema& schema, const void* request, Frame* out) {
  FrameBuilder builder(out);
  Sink& sink = builder.sink();
  sink.I16(static_cast<int16_t>(api.key));
  sink.I16(identity.api_version);
  sink.I32(identity.correlation_id);
  sink.I16(identity.client_id ? static_cast<int16_t>(identity.client_id->size()) : int16_t{-1});
  if (identity.client_id) {
    if (identity.client_id->size() > kMaxStringBytes) {
      return builder.Finish(
          Fail(Errc::kTooLarge, "client id of {} bytes", identity.client_id->size()));
    }
    sink.Append(AsBytes(*identity.client_id));
  }
  bool flexible = api.flexible(identity.api_version);
  if (flexible) sink.Uvarint(0);  // no tagged fields
  return builder.Finish(EncodeMessage(schema, request, identity.api_version, flexible, out));
}

Result<> internal::EncodeResponseFrame(const ApiDescription& api, int16_t api_version,
                                       int32_t correlation_id, const Schema& schema,
                                       const void* response, Frame* out) {
  FrameBuilder builder(out);
  builder.sink().I32(correlation_id);
  bool flexible = api.flexible(api_version);
  if (flexible && api.key != ApiKey::kApiVersions) builder.sink().Uvarint(0);  // no tagged fields
  return builder.Finish(EncodeMessage(schema, response, api_version, flexible, out));
}

}  // namespace meridian::wire::kafka
