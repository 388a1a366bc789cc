"""Every setting of every process, read from the environment and `.env`. `.env.example` says what each is for."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent


def _cache_root() -> Path:
    if os.geteuid() == 0:
        return Path("/var/cache/tingjian")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tingjian"


def _state_root() -> Path:
    # Outside the clone: the embedded servers run as other users, who must be able to walk there. One folder for each clone.
    instance = f"{PROJECT_DIR.name}-{hashlib.sha256(str(PROJECT_DIR).encode()).hexdigest()[:8]}"
    if os.geteuid() == 0:
        return Path("/var/lib/tingjian") / instance
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "tingjian" / instance


class Settings(BaseSettings):
    """Names are the upper-case field names. A wrong value stops the process with the field's name."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    # Where things lie
    tingjian_cache: Path = Field(default_factory=_cache_root)
    state_dir: Path = Field(default_factory=_state_root)
    endpoints_file: Path = PROJECT_DIR / "var" / "endpoints.json"

    # Logs and keys
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_json: bool = False
    secret_key: SecretStr | None = None

    # Database
    database_url: str | None = None

    # Asterisk
    node: str = "node1"
    ami_host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_username: str = "tingjian"
    ami_password: SecretStr = SecretStr("")
    ami_provision_password: SecretStr = SecretStr("")
    ami_permit: tuple[str, ...] = ("127.0.0.1/255.255.255.255", "::1/128")
    ami_ivr_password: SecretStr = SecretStr("")
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    sip_bind: str = "127.0.0.1"
    sip_trunk_match: str = "127.0.0.1"
    sip_anonymous: bool = False
    outbound_trunk: str = "sip:{phone}@127.0.0.1:5066"
    trunk_lines: int = 30
    asterisk_http_port: int = 8088
    softphone_url: str = "ws://127.0.0.1:8088/ws"
    hotline_numbers: dict[str, str] = {"12345": "consult", "12340": "enterprise"}
    queue_titles: dict[str, str] = {"consult": "办事咨询", "enterprise": "企业登记"}
    queue_wait_seconds: int = 900
    queue_callback: bool = True
    after_call_survey: bool = False
    citizen_rtp_timeout_seconds: int = 120
    rtp_port_start: int = 10000
    rtp_port_end: int = 10999
    recordings_dir: Path | None = None
    recording_keep_days: int = 730

    # Agents
    agent_phone: Literal["browser", "sip"] = "browser"
    agent_numbers: str = "_8XXX"
    agent_rtp_timeout_seconds: int = 8
    ring_seconds: int = 20
    wrapup_seconds: int = 120
    wrapup_extension_seconds: int = 120
    pause_reasons: dict[str, int] = {"用餐": 40, "饮水": 10, "培训": 60, "会议": 60, "其他": 15}
    answer_target_seconds: int = 15
    long_wait_seconds: int = 30
    long_hold_seconds: int = 90
    long_call_seconds: int = 600

    # Speech
    speech_engine: Literal["faster-whisper", "openai-whisper", "http"] = "faster-whisper"
    speech_model: Path | None = None
    speech_device: Literal["cpu", "cuda"] = "cpu"
    speech_url: str | None = None
    spoken_answers: bool = True
    prompts_dir: Path | None = None
    voice_dir: Path | None = None
    live_transcription: bool = True
    live_workers: int = 2
    live_beam: int = 1
    live_shed_seconds: float = 12.0
    audiosocket_host: str = "127.0.0.1"
    audiosocket_port: int = 9092

    # Knowledge
    elasticsearch_url: str = "http://127.0.0.1:9200"
    elasticsearch_username: str = ""
    elasticsearch_password: SecretStr = SecretStr("")
    index_prefix: str = "tingjian-"
    index_replicas: int = 0
    title_weight: float = 1.0
    search_timeout_seconds: float = 1.5

    # Statistics
    short_abandon_seconds: int = 5
    repeat_call_days: int = 7
    service_level_target: float = 80.0
    connect_rate_target: float = 95.0
    response_rate_target: float = 95.0
    solved_rate_target: float = 85.0
    satisfaction_target: float = 90.0
    satisfaction_counts_barely: bool = False
    statistics_least_answers: int = Field(30, ge=30)
    improvement_days: int = 30
    reports: list[str] = ["daily", "weekly", "monthly"]
    report_keep_days: int = 730

    # Text messages
    sms_gateway: Literal["none", "http", "smpp"] = "none"
    sms_signature: str = "云川12345"
    sms_daily_cap: int = Field(5000, ge=0)
    sms_quiet_hours: str = Field("20:00-09:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    sms_expire_hours: int = Field(72, ge=1)
    sms_timeout_seconds: float = Field(15.0, gt=0, le=120)
    sms_http_url: str = ""
    sms_http_key: str = "tingjian"
    sms_http_secret: SecretStr = SecretStr("")
    smpp_host: str = "127.0.0.1"
    smpp_port: int = 2775
    smpp_system_id: str = "tingjian"
    smpp_password: SecretStr = SecretStr("")
    smpp_system_type: str = ""
    smpp_source: str = "12345"
    smpp_multipart: Literal["udh", "payload"] = "udh"
    smpp_enquire_seconds: float = Field(30.0, gt=0)

    # Callbacks
    callback_survey_hours: str = "09:00-20:00"
    callback_reply_hours: str = "08:30-21:00"
    callback_asked_hours: str = "08:00-22:00"
    callback_queue_hours: str = "00:00-24:00"
    callback_attempts_a_day: int = Field(2, ge=1)
    callback_gap_hours: float = Field(6.0, ge=0)
    callback_rest_days: float = Field(7.0, ge=0)
    callback_hold_minutes: float = Field(15.0, gt=0)
    dialer_lines: int = Field(24, ge=0)
    dialer_keep_free: int = Field(6, ge=0)
    dialer_yield_each: int = Field(2, ge=0)
    dialer_stop_wait_seconds: float = Field(30.0, ge=0)
    dialer_ring_seconds: int = Field(30, ge=5, le=120)

    # Web
    web_host: str = "127.0.0.1"
    web_port: int = 8000
    web_threads: int = 64
    stream_limit: int = 48
    trusted_proxies: int = 0
    secure_cookies: bool = False
    session_hours: int = 12
    login_failures: int = 5
    lockout_minutes: int = 15
    api_requests_per_minute: int = 6000
    metrics_public: bool = False
    public_url: str = "http://127.0.0.1:8000"
    city_name: str = "云川市"
    hotline_name: str = "政务服务便民热线"

    # Hall screen
    webhook_networks: list[IPvAnyNetwork] = []

    @property
    def ami_provision_secret(self) -> str:
        """The password of the manager user that makes softphones known; the other user's when none is set."""
        return self.ami_provision_password.get_secret_value() or self.ami_password.get_secret_value()

    @property
    def ami_ivr_secret(self) -> str:
        """The password of the manager user that speaks with citizens; the other user's when none is set."""
        return self.ami_ivr_password.get_secret_value() or self.ami_password.get_secret_value()

    @property
    def prompts(self) -> Path:
        """The folder of prompts rendered for questionnaires made here, shared by the workers and Asterisk."""
        return self.prompts_dir or self.state_dir / "prompts"

    @property
    def queues(self) -> dict[str, str]:
        """The queues that the hotline's numbers lead to, and what people call them."""
        return {name: self.queue_titles.get(name, name) for name in self.hotline_numbers.values()}

    @property
    def recordings(self) -> Path:
        """The folder of recordings, shared by Asterisk, the web and the workers."""
        return self.recordings_dir or self.state_dir / "recordings"


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
