// Frames of Kafka's protocol: a 32-bit length (not part of the views here), the header, the body
// (kafka.apache.org/protocol, "Protocol Primitive Types", "Messages"). Pure; any thread.
//
//   auto header = DecodeRequestHeader(request);
//   if (header->supported()) { auto fetch = DecodeRequest<FetchRequest>(*header); … }
//   EncodeResponse(header->correlation_id, header->api_version, response, &frame);
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"

namespace meridian::wire::kafka {

struct RequestHeader {
  int16_t api_key = 0;
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;
  const ApiDescription* api = nullptr;  // null: not one of SupportedApis(); close the connection
  Bytes body;                           // empty unless supported()

  // Not supported() and `api` is not null: answer with UNSUPPORTED_VERSION; ApiVersions as version
  // 0.
  bool supported() const { return api != nullptr && api->Supports(api_version); }
};

// The header of a request: version 1, or 2 where the API's version is flexible. Of an API or
// version that is not supported only key, version and correlation id are read: the layout is
// unknown.
Result<RequestHeader> DecodeRequestHeader(Bytes request);

struct ResponseHeader {
  int32_t correlation_id = 0;
  Bytes body;
};

// The header of a response to a request of `api_version`: version 0, or 1 where that version is
// flexible; always 0 for ApiVersions, as its client may not know yet what the broker supports.
Result<ResponseHeader> DecodeResponseHeader(const ApiDescription& api, int16_t api_version,
                                            Bytes response);

// What stands before the body of a request that our own clients send.
struct RequestIdentity {
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;
};

namespace internal {

// The API of the key, which is in SupportedApis().
const ApiDescription& ApiOf(ApiKey key);

Result<> EncodeRequestFrame(const ApiDescription& api, const RequestIdentity& identity,
                            const Schema& schema, const void* request, Frame* out);
Result<> EncodeResponseFrame(const ApiDescription& api, int16_t api_version, int32_t correlation_id,
                             const Schema& schema, const void* response, Frame* out);

template <class Message>
Result<Message> DecodeBody(int16_t api_version, Bytes body) {
  Message message;
  bool flexible = ApiOf(Message::kApi).flexible(api_version);
  auto done = DecodeMessage(Message::kSchema, body, api_version, flexible, &message);
  if (!done) return Fail(done.error());
  return message;
}

}  // namespace internal

// The body of a request whose header is supported(). kInvalid: malformed, or longer than its
// fields; kTooLarge: past kMaxArrayBytes.
template <class Request>
Result<Request> DecodeRequest(const RequestHeader& header) {
  return internal::DecodeBody<Request>(header.api_version, header.body);
}

template <class Response>
Result<Response> DecodeResponse(const ResponseHeader& header, int16_t api_version) {
  return internal::DecodeBody<Response>(api_version, header.body);
}

// Append a frame, including its length, to `out`; the length counts record sets that were left out.
// kTooLarge: a string is over kMaxStringBytes or the frame over kMaxFrameBytes; nothing is
// appended.
template <class Request>
Result<> EncodeRequest(const RequestIdentity& identity, const Request& request, Frame* out) {
  return internal::EncodeRequestFrame(internal::ApiOf(Request::kApi), identity, Request::kSchema,
                                      &request, out);
}

template <class Response>
Result<> EncodeResponse(int32_t correlation_id, int16_t api_version, const Response& response,
                        Frame* out) {
  return internal::EncodeResponseFrame(internal::ApiOf(Response::kApi), api_version, correlation_id,
                                       Response::kSchema, &response, out);
}

}  // namespace meridian::wire::kafka
