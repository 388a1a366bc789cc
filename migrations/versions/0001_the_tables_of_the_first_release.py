"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agent',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sip_password', sa.Text(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('logged_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('pause_reason', sa.Text(), nullable=True),
    sa.Column('wrapup_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_registered', sa.Boolean(), nullable=False),
    sa.Column('line_state', sa.Text(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('state_since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('notice', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent')),
    sa.UniqueConstraint('number', name=op.f('uq_agent_number'))
    )
    op.create_table('api_token',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    op.create_table('article',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('published_revision_id', sa.Uuid(), nullable=True),
    sa.Column('latest_revision_no', sa.Integer(), nullable=False),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('change_no', sa.BigInteger(), nullable=False),
    sa.Column('indexed_no', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("status IN ('draft', 'published', 'retired')", name=op.f('ck_article_status')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article')),
    sa.UniqueConstraint('key', name=op.f('uq_article_key'))
    )
    op.create_index('ix_article_change_no', 'article', ['change_no'], unique=False)
    op.create_index('ix_article_unindexed', 'article', ['change_no'], unique=False, postgresql_where=sa.text('indexed_no <> change_no'))
    op.create_table('audit_entry',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('previous_hash', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_action'), 'audit_entry', ['action'], unique=False)
    op.create_index(op.f('ix_audit_entry_actor'), 'audit_entry', ['actor'], unique=False)
    op.create_index(op.f('ix_audit_entry_at'), 'audit_entry', ['at'], unique=False)
    op.create_index(op.f('ix_audit_entry_subject'), 'audit_entry', ['subject'], unique=False)
    op.create_table('dictionary_word',
    sa.Column('word', sa.Text(), nullable=False),
    sa.Column('frequency', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('word', name=op.f('pk_dictionary_word'))
    )
    op.create_table('job',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('queue', sa.Text(), nullable=False),
    sa.Column('task', sa.Text(), nullable=False),
    sa.Column('args', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('max_attempts', sa.Integer(), nullable=False),
    sa.Column('token', sa.Uuid(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dedup', sa.Text(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job'))
    )
    op.create_index('ix_job_due', 'job', ['queue', 'priority', 'run_at'], unique=False, postgresql_where=sa.text("state = 'ready'"))
    op.create_index('ix_job_lease', 'job', ['lease_until'], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index('uq_job_dedup_ready', 'job', ['dedup'], unique=True, postgresql_where=sa.text("state = 'ready' AND dedup IS NOT NULL"))
    op.create_table('knowledge_gap',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('segment_id', sa.Uuid(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('best_confidence', sa.Integer(), nullable=False),
    sa.Column('best_article_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_gap')),
    sa.UniqueConstraint('call_id', 'segment_id', name=op.f('uq_knowledge_gap_call_id_segment_id'))
    )
    op.create_table('outbox_event',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=True),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('processed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('retry_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('parked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_event'))
    )
    op.create_index('ix_outbox_event_created_at', 'outbox_event', ['created_at'], unique=False)
    op.create_index('ix_outbox_event_waiting', 'outbox_event', ['id'], unique=False, postgresql_where=sa.text('processed_at IS NULL AND parked_at IS NULL'))
    op.create_table('periodic_slot',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('slot_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', 'slot_at', name=op.f('pk_periodic_slot'))
    )
    op.create_table('process_heartbeat',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('node', sa.Text(), nullable=False),
    sa.Column('pid', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('name', 'node', 'pid', name=op.f('pk_process_heartbeat'))
    )
    op.create_table('queue',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_queue'))
    )
    op.create_table('user',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('username', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('roles', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('totp_secret', sa.Text(), nullable=True),
    sa.Column('totp_last_step', sa.BigInteger(), nullable=True),
    sa.Column('failed_logins', sa.Integer(), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user')),
    sa.UniqueConstraint('agent_id', name=op.f('uq_user_agent_id')),
    sa.UniqueConstraint('username', name=op.f('uq_user_username'))
    )
    op.create_table('agent_queue',
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_agent_queue_agent_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['queue_name'], ['queue.name'], name=op.f('fk_agent_queue_queue_name')),
    sa.PrimaryKeyConstraint('agent_id', 'queue_name', name=op.f('pk_agent_queue'))
    )
    op.create_table('agent_state_change',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('call_id', sa.Uuid(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_agent_state_change_agent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent_state_change'))
    )
    op.create_index('ix_agent_state_change_agent_id_started_at', 'agent_state_change', ['agent_id', 'started_at'], unique=False)
    op.create_table('article_revision',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('article_id', sa.Uuid(), nullable=False),
    sa.Column('revision_no', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('alternatives', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('matter', sa.Text(), nullable=False),
    sa.Column('matter_code', sa.Text(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('region', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('conditions', sa.Text(), nullable=False),
    sa.Column('materials', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('promised_time', sa.Text(), nullable=False),
    sa.Column('fee', sa.Text(), nullable=False),
    sa.Column('window', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_revision_article_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_revision')),
    sa.UniqueConstraint('article_id', 'revision_no', name=op.f('uq_article_revision_article_id_revision_no'))
    )
    op.create_table('call',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('node', sa.Text(), nullable=False),
    sa.Column('linkedid', sa.Text(), nullable=False),
    sa.Column('unique_id', sa.Text(), nullable=False),
    sa.Column('caller_number', sa.Text(), nullable=False),
    sa.Column('caller_name', sa.Text(), nullable=False),
    sa.Column('dialled', sa.Text(), nullable=False),
    sa.Column('queue_name', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('agent_channel', sa.Text(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('waiting_seconds', sa.Double(), nullable=True),
    sa.Column('talking_seconds', sa.Double(), nullable=True),
    sa.Column('hold_seconds', sa.Double(), nullable=False),
    sa.Column('is_confidential', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_call_agent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call')),
    sa.UniqueConstraint('node', 'linkedid', name=op.f('uq_call_node_linkedid')),
    sa.UniqueConstraint('number', name=op.f('uq_call_number'))
    )
    op.create_index('ix_call_agent_id_started_at', 'call', ['agent_id', 'started_at'], unique=False)
    op.create_index('ix_call_caller_number_started_at', 'call', ['caller_number', 'started_at'], unique=False)
    op.create_index('ix_call_running', 'call', ['node'], unique=False, postgresql_where=sa.text('ended_at IS NULL'))
    op.create_index('ix_call_started_at', 'call', ['started_at'], unique=False)
    op.create_index('ix_call_unique_id', 'call', ['unique_id'], unique=False)
    op.create_table('login_session',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Uuid(), nullable=False),
    sa.Column('token_hash', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('browser', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_login_session_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_login_session_token_hash'))
    )
    op.create_index(op.f('ix_login_session_user_id'), 'login_session', ['user_id'], unique=False)
    op.create_table('call_event',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('natural_key', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_event_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_event')),
    sa.UniqueConstraint('call_id', 'natural_key', name=op.f('uq_call_event_call_id_natural_key'))
    )
    op.create_table('call_leg',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=False),
    sa.Column('unique_id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('rang_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_call_leg_agent_id')),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_leg_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_leg')),
    sa.UniqueConstraint('call_id', 'unique_id', name=op.f('uq_call_leg_call_id_unique_id'))
    )
    op.create_index('ix_call_leg_agent_id_rang_at', 'call_leg', ['agent_id', 'rang_at'], unique=False)
    op.create_index('ix_call_leg_unique_id', 'call_leg', ['unique_id'], unique=False)
    op.create_table('call_note',
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('parts', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('disposition', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_call_note_agent_id')),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_call_note_call_id')),
    sa.PrimaryKeyConstraint('call_id', name=op.f('pk_call_note'))
    )
    op.create_table('recording',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('party', sa.Text(), nullable=False),
    sa.Column('node', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('loss_reason', sa.Text(), nullable=True),
    sa.Column('delete_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_recording_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording')),
    sa.UniqueConstraint('call_id', 'party', name=op.f('uq_recording_call_id_party'))
    )
    op.create_index('ix_recording_delete_on', 'recording', ['delete_on'], unique=False)
    op.create_table('segment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('party', sa.Text(), nullable=False),
    sa.Column('start_seconds', sa.Double(), nullable=False),
    sa.Column('end_seconds', sa.Double(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('lag_seconds', sa.Double(), nullable=True),
    sa.Column('hops', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_segment_call_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_segment'))
    )
    op.create_index('ix_segment_call_id_kind_start_seconds', 'segment', ['call_id', 'kind', 'start_seconds'], unique=False)
    op.create_table('suggestion',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('article_id', sa.Uuid(), nullable=False),
    sa.Column('revision_id', sa.Uuid(), nullable=False),
    sa.Column('segment_id', sa.Uuid(), nullable=True),
    sa.Column('rank', sa.Integer(), nullable=True),
    sa.Column('score', sa.Double(), nullable=False),
    sa.Column('confidence', sa.Integer(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('excerpt', sa.Text(), nullable=False),
    sa.Column('marks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('is_degraded', sa.Boolean(), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_suggestion_article_id')),
    sa.ForeignKeyConstraint(['revision_id'], ['article_revision.id'], name=op.f('fk_suggestion_revision_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion'))
    )
    op.create_index('ix_suggestion_call_id', 'suggestion', ['call_id'], unique=False)
    op.create_table('transcript',
    sa.Column('call_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('engine', sa.Text(), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], name=op.f('fk_transcript_call_id')),
    sa.PrimaryKeyConstraint('call_id', name=op.f('pk_transcript'))
    )
    op.create_table('suggestion_feedback',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('suggestion_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('agent_id', sa.Uuid(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['suggestion_id'], ['suggestion.id'], name=op.f('fk_suggestion_feedback_suggestion_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion_feedback'))
    )
    op.create_index('ix_suggestion_feedback_suggestion_id', 'suggestion_feedback', ['suggestion_id'], unique=False)
    op.execute("""
        CREATE OR REPLACE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'restrict_violation'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only()
    """)


def downgrade() -> None:
    op.drop_index('ix_suggestion_feedback_suggestion_id', table_name='suggestion_feedback')
    op.drop_table('suggestion_feedback')
    op.drop_table('transcript')
    op.drop_index('ix_suggestion_call_id', table_name='suggestion')
    op.drop_table('suggestion')
    op.drop_index('ix_segment_call_id_kind_start_seconds', table_name='segment')
    op.drop_table('segment')
    op.drop_index('ix_recording_delete_on', table_name='recording')
    op.drop_table('recording')
    op.drop_table('call_note')
    op.drop_index('ix_call_leg_unique_id', table_name='call_leg')
    op.drop_index('ix_call_leg_agent_id_rang_at', table_name='call_leg')
    op.drop_table('call_leg')
    op.drop_table('call_event')
    op.drop_index(op.f('ix_login_session_user_id'), table_name='login_session')
    op.drop_table('login_session')
    op.drop_index('ix_call_unique_id', table_name='call')
    op.drop_index('ix_call_started_at', table_name='call')
    op.drop_index('ix_call_running', table_name='call', postgresql_where=sa.text('ended_at IS NULL'))
    op.drop_index('ix_call_caller_number_started_at', table_name='call')
    op.drop_index('ix_call_agent_id_started_at', table_name='call')
    op.drop_table('call')
    op.drop_table('article_revision')
    op.drop_index('ix_agent_state_change_agent_id_started_at', table_name='agent_state_change')
    op.drop_table('agent_state_change')
    op.drop_table('agent_queue')
    op.drop_table('user')
    op.drop_table('queue')
    op.drop_table('process_heartbeat')
    op.drop_table('periodic_slot')
    op.drop_index('ix_outbox_event_waiting', table_name='outbox_event', postgresql_where=sa.text('processed_at IS NULL AND parked_at IS NULL'))
    op.drop_index('ix_outbox_event_created_at', table_name='outbox_event')
    op.drop_table('outbox_event')
    op.drop_table('knowledge_gap')
    op.drop_index('uq_job_dedup_ready', table_name='job', postgresql_where=sa.text("state = 'ready' AND dedup IS NOT NULL"))
    op.drop_index('ix_job_lease', table_name='job', postgresql_where=sa.text("state = 'running'"))
    op.drop_index('ix_job_due', table_name='job', postgresql_where=sa.text("state = 'ready'"))
    op.drop_table('job')
    op.drop_table('dictionary_word')
    op.drop_index(op.f('ix_audit_entry_subject'), table_name='audit_entry')
    op.drop_index(op.f('ix_audit_entry_at'), table_name='audit_entry')
    op.drop_index(op.f('ix_audit_entry_actor'), table_name='audit_entry')
    op.drop_index(op.f('ix_audit_entry_action'), table_name='audit_entry')
    op.drop_table('audit_entry')
    op.drop_index('ix_article_unindexed', table_name='article', postgresql_where=sa.text('indexed_no <> change_no'))
    op.drop_index('ix_article_change_no', table_name='article')
    op.drop_table('article')
    op.drop_table('api_token')
    op.drop_table('agent')
    op.execute("DROP FUNCTION audit_entry_is_append_only()")
