// DescribeConfigs, AlterConfigs and IncrementalAlterConfigs (Kafka's DescribeConfigsRequest.json
// and so on). Pure data; decoded strings are views into the input.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::wire::kafka {

enum class ResourceType : int8_t { kUnknown = 0, kTopic = 2, kBroker = 4, kBrokerLogger = 8 };
// Where the value of a configuration key comes from.
enum class ConfigSource : int8_t {
  kUnknown = 0,
  kDynamicTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
};
enum class ConfigType : int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};
enum class ConfigOperation : int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct DescribeConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::kDescribeConfigs;

  struct Resource {
    ResourceType type{};
    std::string_view name;
    std::optional<std::vector<std::string_view>> keys;  // null: all

    static const Schema kSchema;
  };

  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  static const Schema kSchema;
};

struct DescribeConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::kDescribeConfigs;

  struct Result {
    struct Config {
      struct Synonym {
        std::string_view name;
        std::optional<std::string_view> value;
        ConfigSource source{};

        static const Schema kSchema;
      };

      std::string_view name;
      std::optional<std::string_view> value;
      bool read_only = false;
      ConfigSource source{};
      bool is_sensitive = false;
      std::vector<Synonym> synonyms;
      ConfigType type{};
      std::optional<std::string_view> documentation;

      static const Schema kSchema;
    };

    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;
    ResourceType type{};
    std::string_view name;
    std::vector<Config> configs;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static const Schema kSchema;
};

struct AlterConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::kAlterConfigs;

  struct Resource {
    struct Config {
      std::string_view name;
      std::optional<std::string_view> value;

      static const Schema kSchema;
    };

    ResourceType type{};
    std::string_view name;
    std::vector<Config> configs;

    static const Schema kSchema;
  };

  std::vector<Resource> resources;
  bool validate_only = false;

  static const Schema kSchema;
};

struct AlterConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::kAlterConfigs;

  struct Result {
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;
    ResourceType type{};
    std::string_view name;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static const Schema kSchema;
};

struct IncrementalAlterConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::kIncrementalAlterConfigs;

  struct Resource {
    struct Config {
      std::string_view name;
      ConfigOperation operation{};
      std::optional<std::string_view> value;

      static const Schema kSchema;
    };

    ResourceType type{};
    std::string_view name;
    std::vector<Config> configs;

    static const Schema kSchema;
  };

  std::vector<Resource> resources;
  bool validate_only = false;

  static const Schema kSchema;
};

struct IncrementalAlterConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::kIncrementalAlterConfigs;

  struct Result {
    ErrorCode error = ErrorCode::kNone;
    std::optional<std::string_view> error_message;
    ResourceType type{};
    std::string_view name;

    static const Schema kSchema;
  };

  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  static const Schema kSchema;
};

}  // namespace meridian::wire::kafka
