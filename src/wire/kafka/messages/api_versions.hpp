// ApiVersions: what a broker supports, and InitProducerId: the identity of an idempotent producer
// (Kafka's ApiVersionsRequest.json and so on). Pure data; decoded strings are views into the
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

struct ApiVersionsRequest {
  static constexpr ApiKey kApi = ApiKey::kApiVersions;

  std::string_view client_software_name;
  std::string_view client_software_version;

  static const Schema kSchema;
};

struct ApiVersionsResponse {
  static constexpr ApiKey kApi = ApiKey::kApiVersions;

  struct Api {
    int16_t key = 0;
    int16_t min_version = 0;
    int16_t max_version = 0;

    static const Schema kSchema;
  };

  struct SupportedFeature {
    std::string_view name;
    int16_t min_version = 0;
    int16_t max_version = 0;

    static const Schema kSchema;
  };

  struct FinalizedFeature {
    std::string_view name;
    int16_t max_version_level = 0;
    int16_t min_version_level = 0;

    static const Schema kSchema;
  };

  ErrorCode error = ErrorCode::kNone;
  std::vector<Api> apis;
  int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  std::optional<int64_t> finalized_features_epoch;
  std::vector<FinalizedFeature> finalized_features;

  static const Schema kSchema;
};

struct InitProducerIdRequest {
  static constexpr ApiKey kApi = ApiKey::kInitProducerId;

  std::optional<std::string_view> transactional_id;
  int32_t transaction_timeout_ms = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;

  static const Schema kSchema;
};

struct InitProducerIdResponse {
  static constexpr ApiKey kApi = ApiKey::kInitProducerId;

  int32_t throttle_time_ms = 0;
  ErrorCode error = ErrorCode::kNone;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
