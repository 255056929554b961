// Who may reach the engines of a data center: operators through the admin port; the agent; and
// Prometheus reaches Alertmanager and itself. Each engine has a password of its own, derived from
// the admin token; no engine has the token, and neither the application nor another user of the
// host has a password.
//
// Ports can be taken by any user of the host while their engine is away. The agent shows a password
// only at a port that belongs to its child; Prometheus cannot look, so its configuration names
// Alertmanager only while the agent knows that it is ready. The password that Prometheus sends
// there does not open Prometheus. Pure.
#pragma once

#include <string>
#include <string_view>

#include "site/secret.hpp"

namespace meridian::agent {

// The engines' only user.
inline constexpr std::string_view kEngineUser = "meridian";
// Purposes of site::PasswordFor: of each engine's port, and of what Prometheus may read at the
// admin port (GET alone).
inline constexpr std::string_view kPrometheusPurpose = "prometheus";
inline constexpr std::string_view kAlertmanagerPurpose = "alertmanager";
inline constexpr std::string_view kMetricsPurpose = "metrics of the agent";
inline constexpr std::string_view kPrometheusPath = "/prometheus";
inline constexpr std::string_view kAlertmanagerPath = "/alertmanager";
// At the admin port: for other data centers, and for Prometheus with `?dc=NAME` of another one.
inline constexpr std::string_view kAggregatesPath = "/.meridian/aggregates";
inline constexpr std::string_view kPeerAggregatesPath = "/.meridian/peer-aggregates";
// And the name of a tier: its metrics (agent/admin/admin_metrics.hpp).
inline constexpr std::string_view kTierMetricsPath = "/.meridian/metrics/";

// --web.config.file of an engine: the user, with the bcrypt hash of `password`, which is at most
// 72 bytes (CHECK). The text for a password is always the same.
std::string EngineWebConfig(const site::Secret& password);

}  // namespace meridian::agent
